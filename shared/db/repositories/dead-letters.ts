import type { AttemptError, TenantSql } from '#shared/actor/store.ts'

import { plainBytes } from '../plain-bytes.ts'
import { MAX_PAGE } from './conversations.ts'
import type { PageMark } from './conversations.ts'

export interface DeadLetterHead {
  readonly id: string
  readonly subject: string
  /** Of the actor it was for; `in`, `out` and `ev` for what was for none. */
  readonly kind: string
  readonly code: string
  readonly message: string
  readonly attempts: number
  readonly trace: string
  readonly at: number
  readonly state: 'buried' | 'replayed' | 'discarded'
  readonly decidedBy: string | null
  readonly decidedAt: number | null
  readonly bytes: number
}

export interface DeadLetterView extends DeadLetterHead {
  /** As it was received. */
  readonly payload: Uint8Array
  readonly history: readonly AttemptError[]
}

const HEAD = `id, subject, kind, code, message, attempts, trace, at, state, decided_by as "decidedBy", decided_at as "decidedAt",
  octet_length(payload) as bytes`

/** Which; times are milliseconds, `until` not included. */
export interface DeadLetterFilter {
  readonly code?: string | undefined
  readonly kind?: string | undefined
  readonly state?: DeadLetterHead['state'] | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
}

const FITS = `tenant = $1 and ($2::text is null or code = $2) and ($3::text is null or kind = $3)
  and ($4::text is null or state = $4) and ($5::bigint is null or at >= $5) and ($6::bigint is null or at < $6)`

function valuesOf({ tenant }: TenantSql, filter: DeadLetterFilter): unknown[] {
  const { code = null, kind = null, state = null, since = null, until = null } = filter
  return [tenant, code, kind, state, since, until]
}

/** The newest first. */
export async function listDeadLetters(
  sql: TenantSql,
  options: DeadLetterFilter & { readonly limit?: number; readonly after?: PageMark } = {},
): Promise<DeadLetterHead[]> {
  const { limit = MAX_PAGE, after } = options
  return sql.query<DeadLetterHead>(
    `select ${HEAD} from dead_letters where ${FITS} and ($7::bigint is null or (at, id) < ($7, $8))
     order by at desc, id desc limit $9`,
    [...valuesOf(sql, options), after?.at ?? null, after?.id ?? '', Math.min(limit, MAX_PAGE)],
  )
}

/** Those about which nobody has decided, the oldest first. */
export async function undecidedLetters(sql: TenantSql, filter: DeadLetterFilter, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(`select id from dead_letters where ${FITS} order by at, id limit $7`, [
    ...valuesOf(sql, { ...filter, state: 'buried' }),
    limit,
  ])
  return rows.map(({ id }) => id)
}

/** Removes them for good, the oldest first. Returns how many went. */
export async function purgeDeadLetters(
  sql: TenantSql,
  which: { readonly before: number; readonly undecided: boolean; readonly limit: number },
): Promise<number> {
  const rows = await sql.query(
    `delete from dead_letters where tenant = $1 and id in (
       select id from dead_letters where tenant = $1 and at < $2 and ($3 or state <> 'buried') order by at, id limit $4)
     returning id`,
    [sql.tenant, which.before, which.undecided, which.limit],
  )
  return rows.length
}

export async function showDeadLetter(sql: TenantSql, id: string): Promise<DeadLetterView | null> {
  const [row] = await sql.query<DeadLetterHead & { payload: Buffer; history: AttemptError[] }>(
    `select ${HEAD}, payload, history from dead_letters where tenant = $1 and id = $2`,
    [sql.tenant, id],
  )
  return row === undefined ? null : { ...row, payload: plainBytes(row.payload) }
}

/** Says what became of it. False when there is none or somebody has decided before. */
export async function decideDeadLetter(
  sql: TenantSql,
  id: string,
  decision: { readonly state: 'replayed' | 'discarded'; readonly by: string; readonly at: number },
): Promise<boolean> {
  const rows = await sql.query(
    `update dead_letters set state = $3, decided_by = $4, decided_at = $5
     where tenant = $1 and id = $2 and state = 'buried' returning id`,
    [sql.tenant, id, decision.state, decision.by, decision.at],
  )
  return rows.length === 1
}
