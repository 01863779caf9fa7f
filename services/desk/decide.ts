import type { Context } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { DecideRequest, Decision, ReviewItem, ReviewState } from '#shared/contracts/review.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { appendAudit } from '#shared/db/repositories/audit.ts'
import { canonicalJson, hashOfArgs } from '#shared/lib/canonical-json.ts'
import { SchemaRefused, compileSchema } from '#shared/lib/json-schema/compile-schema.ts'
import { curate } from './curate.ts'
import { allowedActions, badDecision, requireFree, requireOpen } from './item-rules.ts'
import { learn } from './learn.ts'
import { change, itemHere, settle } from './stored-items.ts'

/**
 * A person's decision: about exactly what they were shown (nonce and hash), the first one for good. With a quorum, an
 * approval is counted until enough distinct persons have given theirs; an edit begins the count anew, because what was
 * approved before is not what would be done; one rejection is enough.
 */
export async function decide(ctx: Context<unknown>, request: DecideRequest): Promise<ReviewItem> {
  const by = requireStaff(ctx, 'Review items are')
  const sql = await ctx.sql()
  const stored = await itemHere(ctx, sql, request.itemId)
  const { item } = stored
  const { decision } = request
  if (isRepeated(item, by, decision)) return item
  requireOpen(item)
  if (request.nonce !== item.nonce || request.argsHash !== item.argsHash)
    throw refuse('REVIEW_CHANGED', { item: item.id, argsHash: item.argsHash, revision: item.revision })
  if (item.quorum === 1) requireFree(item, by, ctx.now)
  requireFitting(item, decision)
  await appendAudit(sql, {
    principal: by,
    action: 'review.decided',
    subject: item.id,
    details: { decision: decision.action, conversation: item.conversationId, argsHash: item.argsHash },
  })
  await learn(ctx, sql, item, decision, by)
  await curate(ctx, sql, item, decision)
  if (decision.action === 'reject' || decision.action === 'answer') {
    const state = decision.action === 'reject' ? 'rejected' : 'answered'
    return await settle(ctx, sql, stored, { state, decision: { decision, by, at: ctx.now } })
  }
  const args = decision.action === 'edit' ? decision.args : null
  const before = args === null ? item.approvals.filter((approval) => approval.by !== by) : []
  const approvals = [...before, { by, at: ctx.now, args }]
  const proposed = args === null ? { approvals } : { approvals, proposal: { ...args }, argsHash: hashOfArgs(args) }
  if (approvals.length < item.quorum) return await change(ctx, sql, stored, proposed)
  const made = madeOf(approvals, decision)
  return await settle(ctx, sql, stored, { ...made, decision: { decision: made.decision, by, at: ctx.now } }, proposed)
}

/** Of several approvals the newest arguments count: all who approved after them have seen them. */
function madeOf(
  approvals: ReviewItem['approvals'],
  last: Decision,
): { readonly state: ReviewState; readonly decision: Decision } {
  const edited = approvals.findLast(({ args }) => args !== null)?.args ?? null
  if (edited === null) return { state: 'approved', decision: { action: 'approve' } }
  return { state: 'edited', decision: last.action === 'edit' ? last : { action: 'edit', args: edited, reason: '' } }
}

/** The same words of the same person, sent again because their receipt was lost. */
function isRepeated(item: ReviewItem, by: string, decision: Decision): boolean {
  const { decision: made, approvals } = item
  if (made !== null && made.by === by && canonicalJson(made.decision) === canonicalJson(decision)) return true
  if (item.state === 'superseded') return false
  const counted = approvals.some((approval) => approval.by === by)
  return decision.action === 'approve' && counted && (made === null || made.decision.action !== 'reject')
}

function requireFitting(item: ReviewItem, decision: Decision): void {
  if (!allowedActions(item.kind).includes(decision.action))
    throw badDecision('action', `a ${item.kind} takes ${allowedActions(item.kind).join(', ')}`)
  if (decision.action !== 'edit') return
  if (item.schema === null) throw badDecision('args', 'this proposal cannot be edited')
  let problems: readonly { readonly path: string; readonly message: string }[]
  try {
    problems = compileSchema(item.schema).problems(decision.args)
  } catch (error) {
    if (!(error instanceof SchemaRefused)) throw error
    // What cannot be checked is not let through.
    throw badDecision('args', 'its schema cannot be checked')
  }
  if (problems.length > 0)
    throw refuse('BAD_INPUT', {
      fields: problems.map(({ path, message }) => ({
        path: ['args', path].filter(Boolean).join('/'),
        problem: message,
      })),
    })
}
