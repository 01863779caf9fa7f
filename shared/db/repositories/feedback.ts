import type { TenantSql } from '#shared/actor/store.ts'

import { storableText } from '../storable.ts'
import { MAX_PAGE } from './conversations.ts'
import type { PageMark } from './conversations.ts'

/** What a person's decision teaches: what was proposed, what was made of it, and why. */
export interface Feedback {
  readonly id: string
  readonly itemId: string
  readonly conversationId: string
  readonly runId: string
  readonly agent: string
  readonly kind: string
  /** The tool of a call; empty on others. */
  readonly tool: string
  readonly label: 'edited' | 'rejected' | 'answered'
  readonly proposed: Readonly<Record<string, unknown>>
  /** The arguments instead, or the words of an answer; null where it was rejected. */
  readonly decided: unknown
  readonly reason: string
  readonly decidedBy: string
  readonly at: number
}

export async function addFeedback(sql: TenantSql, feedback: Feedback): Promise<void> {
  await sql.query(
    `insert into feedback (tenant, id, item_id, conversation_id, run_id, agent, kind, tool, label, proposed, decided, reason,
       decided_by, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     on conflict (tenant, id) do nothing`,
    [
      sql.tenant,
      feedback.id,
      feedback.itemId,
      feedback.conversationId,
      feedback.runId,
      storableText(feedback.agent),
      feedback.kind,
      storableText(feedback.tool),
      feedback.label,
      JSON.stringify(feedback.proposed),
      feedback.decided === null ? null : JSON.stringify(feedback.decided),
      storableText(feedback.reason),
      feedback.decidedBy,
      feedback.at,
    ],
  )
}

/** The newest first. */
export async function listFeedback(
  sql: TenantSql,
  options: {
    readonly agent?: string | null
    readonly label?: Feedback['label'] | null
    readonly limit?: number
    readonly after?: PageMark
  } = {},
): Promise<Feedback[]> {
  const { agent, label, limit = MAX_PAGE, after } = options
  return sql.query<Feedback>(
    `select id, item_id as "itemId", conversation_id as "conversationId", run_id as "runId", agent, kind, tool, label,
       proposed, decided, reason, decided_by as "decidedBy", at
     from feedback
     where tenant = $1 and ($2::text is null or agent = $2) and ($3::text is null or label = $3)
       and ($4::bigint is null or (at, id) < ($4, $5))
     order by at desc, id desc limit $6`,
    [sql.tenant, agent ?? null, label ?? null, after?.at ?? null, after?.id ?? '', Math.min(limit, MAX_PAGE)],
  )
}
