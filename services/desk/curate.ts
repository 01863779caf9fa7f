import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { AgentKnowledge } from '#shared/contracts/agent.ts'
import { Ingestion } from '#shared/contracts/ingestion.ts'
import { CuratedText } from '#shared/contracts/knowledge.ts'
import { askedOf } from '#shared/contracts/review.ts'
import type { Decision, ReviewItem } from '#shared/contracts/review.ts'
import { agentById } from '#shared/db/repositories/agents.ts'
import { collectionById } from '#shared/db/repositories/knowledge/collections.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { badDecision } from './item-rules.ts'

/**
 * Where the decision says so, what a person wrote becomes the answer to what the customer asked, in the collection that the
 * agent looks in first. Refused, nothing is decided. The command has its id from the item, and leaves with the transaction
 * that ends it: however often either is tried, one answer is kept.
 */
export async function curate(
  ctx: Context<unknown>,
  sql: TenantSql,
  item: ReviewItem,
  decision: Decision,
): Promise<void> {
  if (decision.action !== 'edit' && decision.action !== 'answer') return
  if (decision.curate !== true) return
  const { id: itemId } = item
  const kept = CuratedText.safeParse({ question: askedOf(item), answer: writtenIn(item, decision) })
  if (!kept.success) throw badDecision('curate', 'there is no question, or no text that is short enough to be kept')
  const collection = await firstCollection(sql, item.agent)
  if (collection === null) throw refuse('REVIEW_NO_COLLECTION', { item: itemId, agent: item.agent })
  ctx.tell(Ingestion, 'main', 'curate', { ...kept.data, collection, itemId }, { id: `curate-${itemId}`, fresh: true })
}

/** What somebody who asks may read: the text of a draft, or the answer to what an agent did not know. */
function writtenIn(
  { kind, quorum }: ReviewItem,
  decision: Extract<Decision, { readonly action: 'edit' | 'answer' }>,
): unknown {
  if (kind === 'question' && decision.action === 'answer') return decision.text
  // Of several persons each may have approved another text.
  if (kind === 'draft_reply' && decision.action === 'edit' && quorum === 1) return decision.args['text']
  throw badDecision('curate', 'only the text of a draft that one person edits, and the answer to a question, are kept')
}

async function firstCollection(sql: TenantSql, agent: string): Promise<string | null> {
  const knowledge = AgentKnowledge.safeParse((await agentById(sql, agent))?.knowledge)
  const [first] = knowledge.data?.collections ?? []
  return first === undefined || (await collectionById(sql, first)) === null ? null : first
}
