/**
 * The store port on PostgreSQL and PGlite. A commit is one statement: one round trip and one implicit transaction, in
 * which the epoch is compared under a shared lock (I1) and everything that a batch of steps leaves behind is written (I3).
 * The functions it calls are in migration 0001. Nothing is kept here: every method may be called from anywhere.
 */
import type { Pool } from 'pg'

import type {
  AttemptError,
  CommitResult,
  DeadLetter,
  EffectIntent,
  EffectOutcome,
  EffectRow,
  Fence,
  Holder,
  LogMark,
  LogPlaceRow,
  OutboxRow,
  RelayedRow,
  Retired,
  RunRow,
  Step,
  Store,
  StoreTransaction,
  StoredState,
  TimerRow,
} from '#shared/actor/store.ts'
import type { LogPlace } from '#shared/actor/event-log.ts'
import type { Terms } from '#shared/actor/limits.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { databaseError } from '../database-error.ts'
import type { Database } from '../database.ts'
import { plainBytes } from '../plain-bytes.ts'
import { connect, runPrepared } from '../pool.ts'
import { storableText } from '../storable.ts'
import { COMMIT, bytes, commitParameters, duplicatesIn, json, letterPart, repeatedIn } from './commit-parts.ts'
import { beginHandler } from './handler-transaction.ts'
import { OUTBOX_COLUMNS, RUN_COLUMNS, effectRow, outboxRow, runRow, timerRow } from './rows.ts'
import type { EffectRecord, OutboxRecord, RunRecord, TimerRecord } from './rows.ts'

/** Timers that are handed over at once; the next look finds the rest. */
const TIMERS_AT_ONCE = 1_000
/** Rows that one sweep deletes of each table at most. */
const SWEEP_ROWS = 5_000

export function createStore(database: Database): Store {
  return new SqlStore(database)
}

class SqlStore implements Store {
  readonly #pool: Pool
  readonly #claimMs: number

  constructor(database: Database) {
    this.#pool = database.runtimePool
    // It waits for transactions that may each last as long as a statement and a silence together.
    this.#claimMs = 2 * database.leaseMs
  }

  async declare(kinds: readonly { readonly kind: string; readonly partitions: number }[]): Promise<void> {
    await this.#rows('select runtime_declare($1)', [JSON.stringify(kinds)])
  }

  async claim(kind: string, partition: number, holder: string): Promise<number> {
    const [row] = await this.#patiently<{ epoch: number }>('select runtime_claim($1, $2, $3) as epoch', [
      kind,
      partition,
      holder,
    ])
    return expected(row).epoch
  }

  async holders(): Promise<readonly Holder[]> {
    return this.#rows<Holder>(
      'select kind, partition, epoch, holder from partition_epochs order by kind, partition',
      [],
    )
  }

  async load(tenant: string, kind: string, key: string): Promise<StoredState | null> {
    const [row] = await this.#rows<{ epoch: number; version: number; value: unknown }>(
      'select epoch, version, value from actor_state where tenant = $1 and kind = $2 and key = $3',
      [tenant, kind, key],
    )
    return row ?? null
  }

  async commit(fence: Fence, steps: readonly Step[]): Promise<CommitResult> {
    const repeated = repeatedIn(steps)
    if (repeated.length > 0) return { duplicates: repeated }
    try {
      await this.#rows(COMMIT, commitParameters(fence, steps))
      return { duplicates: [] }
    } catch (error) {
      const duplicates = duplicatesIn(error)
      if (duplicates === null) throw error
      return { duplicates }
    }
  }

  begin(fence: Fence): Promise<StoreTransaction> {
    return beginHandler(this.#pool, fence)
  }

  async processed(
    tenant: string,
    kind: string,
    key: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Uint8Array | null>> {
    const rows = await this.#rows<{ id: string; receipt: Buffer | null }>(
      'select id, receipt from processed_commands where tenant = $1 and kind = $2 and key = $3 and id = any($4)',
      [tenant, kind, key, ids],
    )
    return new Map(rows.map(({ id, receipt }) => [id, receipt === null ? null : plainBytes(receipt)]))
  }

  async unsent(kind: string, partition: number): Promise<readonly OutboxRow[]> {
    const rows = await this.#rows<OutboxRecord>(
      `select ${OUTBOX_COLUMNS} from outbox where kind = $1 and partition = $2 and relayed_at is null order by seq`,
      [kind, partition],
    )
    return rows.map(outboxRow)
  }

  async relayed(rows: readonly RelayedRow[]): Promise<readonly RelayedRow[]> {
    if (rows.length === 0) return []
    return await this.#rows<RelayedRow>(
      `with given as materialized (
         select g.*, p.tenant is not null and p.stream is distinct from g.log as moved
         from unnest($1::text[], $2::text[], $3::text[]) as g(tenant, id, log) left join log_places p on p.tenant = g.tenant),
       marked as (
         update outbox o set relayed_at = $4 from given g
         where o.tenant = g.tenant and o.id = g.id and o.relayed_at is null and not g.moved)
       select tenant, id, log from given where moved`,
      [rows.map(({ tenant }) => tenant), rows.map(({ id }) => id), rows.map(({ log }) => log), Date.now()],
    )
  }

  async timers(kind: string, partition: number, dueBefore: number): Promise<readonly TimerRow[]> {
    const rows = await this.#rows<TimerRecord>(
      `select tenant, key, name, due_at, payload from timers
       where kind = $1 and partition = $2 and due_at <= $3 order by due_at limit ${TIMERS_AT_ONCE}`,
      [kind, partition, dueBefore],
    )
    return rows.map(timerRow)
  }

  async unfinishedRuns(kind: string, partition: number): Promise<readonly RunRow[]> {
    const rows = await this.#rows<RunRecord>(
      `select ${RUN_COLUMNS} from runs
       where parent_kind = $1 and partition = $2 and state in ('running', 'waiting') order by started_at, tenant, key`,
      [kind, partition],
    )
    return rows.map(runRow)
  }

  async run(tenant: string, kind: string, key: string): Promise<RunRow | null> {
    const [row] = await this.#rows<RunRecord>(
      `select ${RUN_COLUMNS} from runs where tenant = $1 and kind = $2 and key = $3`,
      [tenant, kind, key],
    )
    return row === undefined ? null : runRow(row)
  }

  async attempt(fence: Fence, key: string, command: string, error: AttemptError | null): Promise<number> {
    const [row] = await this.#rows<{ count: number }>('select runtime_attempt($1, $2, $3, $4, $5, $6, $7) as count', [
      ...fenceValues(fence),
      key,
      command,
      error === null ? null : attemptJson(error),
    ])
    return expected(row).count
  }

  async bury(letter: DeadLetter): Promise<void> {
    const part = letterPart(letter)
    await this.#rows(
      `insert into dead_letters (tenant, id, subject, payload, code, message, attempts, history, trace, at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
      [
        part.tenant,
        part.id,
        part.subject,
        bytes(letter.payload),
        part.code,
        part.message,
        part.attempts,
        JSON.stringify(part.history),
        part.trace,
        part.at,
      ],
    )
  }

  async intend(fence: Fence, effect: EffectIntent): Promise<EffectRow> {
    const [row] = await this.#rows<EffectRecord>('select * from runtime_intend($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      ...fenceValues(fence),
      effect.id,
      effect.run,
      effect.tool,
      effect.argsHash,
      effect.repeatable,
    ])
    const found = effectRow(effect.id, expected(row))
    if (found.argsHash !== effect.argsHash || found.tool !== effect.tool) {
      throw new WaggleError('ID_REUSED', { effect: effect.id, tool: effect.tool, before: found.tool })
    }
    return found
  }

  async settle(fence: Fence, id: string, outcome: EffectOutcome): Promise<void> {
    await this.#rows('select runtime_settle($1, $2, $3, $4, $5, $6, $7)', [
      ...fenceValues(fence),
      id,
      outcome.status,
      json(outcome.result),
    ])
  }

  async intendedBy(tenant: string, run: string): Promise<readonly string[]> {
    const rows = await this.#rows<{ id: string }>(
      `select id from effects where tenant = $1 and run = $2 and status = 'intended' order by intended_at, id`,
      [tenant, run],
    )
    return rows.map(({ id }) => id)
  }

  async opened(opening: {
    readonly tenant: string
    readonly scope: string
    readonly who: string
    readonly epoch: number
    readonly sequence: number
    readonly log: string
  }): Promise<void> {
    await this.#rows(
      `insert into epoch_openings as o (tenant, scope, who, epoch, sequence)
       select $1, $2, $3, $4::bigint, $5::bigint
       where not exists (select from log_places where tenant = $1 and stream is distinct from $6)
       on conflict (tenant, scope, who, epoch) do update set sequence = least(o.sequence, excluded.sequence)`,
      [opening.tenant, opening.scope, opening.who, opening.epoch, opening.sequence, opening.log],
    )
  }

  async floors(
    tenant: string,
    scope: string,
    sequence: number,
  ): Promise<{
    readonly floors: readonly { readonly who: string; readonly epoch: number }[]
    readonly pending: boolean
  }> {
    const rows = await this.#rows<{ who: string; epoch: number | null; pending: boolean }>(
      `select who, max(epoch) filter (where sequence <= $3) as epoch, bool_or(sequence is null) as pending
       from epoch_openings where tenant = $1 and scope = $2 group by who order by who`,
      [tenant, scope, sequence],
    )
    const floors = rows.flatMap(({ who, epoch }) => (epoch === null ? [] : [{ who, epoch }]))
    return { floors, pending: rows.some((row) => row.pending) }
  }

  async logPlaces(): Promise<readonly LogPlaceRow[]> {
    const rows = await this.#rows<
      Record<'tenant' | 'stream' | 'shared', string> & Record<'after' | 'since' | 'at', number>
    >('select tenant, stream, after, since, at, shared from log_places order by tenant', [])
    return rows.map(({ tenant, stream, after, since: from, at, shared }) => ({
      tenant,
      place: stream === null ? null : { tenant, stream, after, from, at, shared },
    }))
  }

  async askForLog(tenant: string): Promise<void> {
    await this.#rows('insert into log_places (tenant) values ($1) on conflict do nothing', [tenant])
  }

  async placeLog({ tenant, stream, after, from, at, shared }: LogPlace): Promise<boolean> {
    const rows = await this.#rows(
      `update log_places set stream = $2, after = $3, since = $4, at = $5, shared = $6
       where tenant = $1 and stream is null returning tenant`,
      [tenant, stream, after, from, at, shared],
    )
    return rows.length === 1
  }

  async logMark(stream: string): Promise<LogMark | null> {
    const [row] = await this.#rows<LogMark>(
      'select incarnation, created, sequence, at from log_marks where stream = $1',
      [stream],
    )
    return row ?? null
  }

  async saveLogMark(stream: string, mark: LogMark): Promise<void> {
    await this.#rows(
      `insert into log_marks (stream, incarnation, created, sequence, at) values ($1, $2, $3, $4, $5)
       on conflict (stream) do update set incarnation = excluded.incarnation, created = excluded.created,
         sequence = excluded.sequence, at = excluded.at`,
      [stream, mark.incarnation, mark.created, mark.sequence, mark.at],
    )
  }

  async relayedSince(at: number): Promise<readonly OutboxRow[]> {
    const rows = await this.#rows<OutboxRecord>(
      `select ${OUTBOX_COLUMNS} from outbox where relayed_at >= $1 order by seq`,
      [at],
    )
    return rows.map(outboxRow)
  }

  async sweep(before: { readonly processed: number; readonly relayed: number }): Promise<number> {
    const [row] = await this.#rows<{ gone: number }>(SWEEP, [before.processed, before.relayed])
    return expected(row).gone
  }

  async retire(now: number, terms: Terms): Promise<Retired> {
    const [row] = await this.#rows<{ gone: Retired }>('select runtime_retire($1, $2, $3) as gone', [
      now,
      JSON.stringify(terms),
      SWEEP_ROWS,
    ])
    return expected(row).gone
  }

  async #rows<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return (await runPrepared<Row>(this.#pool, text, values)).rows
  }

  /** Like #rows, with a limit longer than that of what it waits for. */
  async #patiently<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const client = await connect(this.#pool)
    let broken: WaggleError | undefined
    try {
      const [, , answer] = await Promise.all([
        client.query('begin'),
        client.query(`set local statement_timeout = ${this.#claimMs}`),
        client.query<Row>({ text, values: [...values], query_timeout: this.#claimMs } as never),
        client.query('commit'),
      ])
      return answer.rows
    } catch (error) {
      broken = databaseError(error)
      throw broken
    } finally {
      client.release(broken)
    }
  }
}

/** Openings that a later one of the same voice supersedes go with the processed ids: nobody starts reading before them. */
const SWEEP = `
  with gone_commands as (
    delete from processed_commands p using (select ctid from processed_commands where at < $1 limit ${SWEEP_ROWS}) g
    where p.ctid = g.ctid returning 1),
  gone_rows as (
    delete from outbox o using (select ctid from outbox where relayed_at < $2 limit ${SWEEP_ROWS}) g
    where o.ctid = g.ctid returning 1),
  gone_attempts as (
    delete from attempts a using (select ctid from attempts where at < to_timestamp($1 / 1000.0) limit ${SWEEP_ROWS}) g
    where a.ctid = g.ctid returning 1),
  gone_openings as (
    delete from epoch_openings o using (
      select old.ctid from epoch_openings old where old.at < to_timestamp($1 / 1000.0) and exists (
        select from epoch_openings later where later.tenant = old.tenant and later.scope = old.scope
          and later.who = old.who and later.epoch > old.epoch and later.sequence is not null
          and later.at < to_timestamp($1 / 1000.0))
      limit ${SWEEP_ROWS}) g
    where o.ctid = g.ctid returning 1)
  select (select count(*) from gone_commands) + (select count(*) from gone_rows) + (select count(*) from gone_attempts)
    + (select count(*) from gone_openings) as gone`

function fenceValues(fence: Fence): unknown[] {
  return [fence.tenant, fence.kind, fence.partition, fence.epoch]
}

function attemptJson(error: AttemptError): string {
  return JSON.stringify({ ...error, message: storableText(error.message) })
}

function expected<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new WaggleError('INTERNAL', { reason: 'The database answered without a row.' })
  return row
}
