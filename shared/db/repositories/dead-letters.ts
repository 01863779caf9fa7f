import type { AttemptError, TenantSql } from '#shared/actor/store.ts'

import { plainBytes } from '../plain-bytes.ts'
import { MAX_PAGE } from './conversations.ts'
import type { PageMark } from './conversations.ts'

export interface DeadLetterHead {
  readonly id: string
  readonly subject: string
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

const HEAD = `id, subject, code, message, attempts, trace, at, state, decided_by as "decidedBy", decided_at as "decidedAt",
  octet_length(payload) as bytes`

/** The newest first. */
export async function listDeadLetters(
  sql: TenantSql,
  options: { readonly state?: DeadLetterHead['state']; readonly limit?: number; readonly after?: PageMark } = {},
): Promise<DeadLetterHead[]> {
  const { state = null, limit = MAX_PAGE, after } = options
  return sql.query<DeadLetterHead>(
    `select ${HEAD} from dead_letters
     where tenant = $1 and ($2::text is null or state = $2) and ($3::bigint is null or (at, id) < ($3, $4))
     order by at desc, id desc limit $5`,
    [sql.tenant, state, after?.at ?? null, after?.id ?? '', Math.min(limit, MAX_PAGE)],
  )
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
