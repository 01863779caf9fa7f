import type { RunState, TenantSql } from '#shared/actor/store.ts'

import { MAX_PAGE } from './conversations.ts'
import type { PageMark } from './conversations.ts'

/** A run as its tenant sees it; the runtime writes it. */
export interface RunView {
  readonly kind: string
  readonly key: string
  readonly parentKind: string
  readonly parentKey: string
  readonly state: RunState
  readonly attempt: number
  readonly deadline: number
  readonly result: unknown
  readonly error: unknown
  readonly startedAt: number
  readonly changedAt: number
  /** What it was spawned with; its payload is its input. */
  readonly envelope: Uint8Array
}

const COLUMNS = `kind, key, parent_kind as "parentKind", parent_key as "parentKey", state, attempt, deadline, result, error,
  started_at as "startedAt", changed_at as "changedAt", envelope`

export async function runByKey(sql: TenantSql, kind: string, key: string): Promise<RunView | null> {
  const [row] = await sql.query<RunView>(`select ${COLUMNS} from runs where tenant = $1 and kind = $2 and key = $3`, [
    sql.tenant,
    kind,
    key,
  ])
  return row ?? null
}

/** The run whose key ends with this token, in whichever conversation. */
export async function runByLastPart(sql: TenantSql, kind: string, part: string): Promise<RunView | null> {
  const [row] = await sql.query<RunView>(
    `select ${COLUMNS} from runs where tenant = $1 and kind = $2 and right(key, length($3) + 2) = '--' || $3`,
    [sql.tenant, kind, part],
  )
  return row ?? null
}

/** The newest first; `keyPrefix` finds those of one conversation. */
export async function listRuns(
  sql: TenantSql,
  options: {
    readonly kind?: string
    readonly keyPrefix?: string
    readonly state?: RunState
    readonly limit?: number
    readonly after?: PageMark
  } = {},
): Promise<RunView[]> {
  const { kind = null, keyPrefix = '', state = null, limit = MAX_PAGE, after } = options
  return sql.query<RunView>(
    `select ${COLUMNS} from runs
     where tenant = $1 and ($2::text is null or kind = $2) and starts_with(key, $3) and ($4::text is null or state = $4)
       and ($5::float8 is null or (started_at, key) < (to_timestamp($5 / 1000), $6))
     order by started_at desc, key desc limit $7`,
    [sql.tenant, kind, keyPrefix, state, after?.at ?? null, after?.id ?? '', Math.min(limit, MAX_PAGE)],
  )
}

/** Whether a run's thread has kept this checkpoint. */
export async function hasCheckpoint(sql: TenantSql, thread: string, id: string): Promise<boolean> {
  const rows = await sql.query(`select id from checkpoints where tenant = $1 and thread = $2 and ns = '' and id = $3`, [
    sql.tenant,
    thread,
    id,
  ])
  return rows.length > 0
}
