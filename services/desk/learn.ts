import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { Decision, ReviewItem } from '#shared/contracts/review.ts'
import { addFeedback } from '#shared/db/repositories/feedback.ts'

/** Whatever was not simply approved is kept as a labelled example: what was proposed, and what a person made of it. */
export async function learn(
  ctx: Context<unknown>,
  sql: TenantSql,
  item: ReviewItem,
  decision: Decision,
  by: string,
): Promise<void> {
  const lesson = lessonOf(decision)
  if (lesson === null) return
  const { id: itemId, conversationId, runId, agent, kind, tool, proposal: proposed } = item
  const about = { itemId, conversationId, runId, agent, kind, tool, proposed }
  await addFeedback(sql, { id: ctx.newId(), ...about, ...lesson, decidedBy: by, at: ctx.now })
}

function lessonOf(
  decision: Decision,
): { readonly label: 'edited' | 'rejected' | 'answered'; readonly decided: unknown; readonly reason: string } | null {
  switch (decision.action) {
    case 'approve':
      return null
    case 'edit':
      return { label: 'edited', decided: decision.args, reason: decision.reason }
    case 'reject':
      return { label: 'rejected', decided: null, reason: decision.reason }
    case 'answer':
      return { label: 'answered', decided: { text: decision.text }, reason: '' }
  }
}
