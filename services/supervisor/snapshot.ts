import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { Snapshot } from '#shared/contracts/client.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { openReviews } from '#shared/db/repositories/reviews.ts'
import { staffSnapshot } from './staff-snapshot.ts'
import { newestMessages } from './stored-messages.ts'
import type { SupervisorState } from './state.ts'

/** Messages of a snapshot, the newest. */
const SNAPSHOT_MESSAGES = 200
/** Items for people in a snapshot, the newest. */
const SNAPSHOT_REVIEWS = 50
/** All of them together, as JSON: the reply must fit into one message of the broker. At least the newest is there. */
const SNAPSHOT_BYTES = 512 * 1024

/** The conversation as it stands in this transaction: whoever asks has read the log's sequence before (I5). */
export async function readSnapshot(
  ctx: Context<SupervisorState>,
  sql: TenantSql,
  staff: boolean,
): Promise<Omit<Snapshot, 'cursor'>> {
  const conversationId = ctx.key[0]!
  const newest = fitting(await newestMessages(sql, conversationId, SNAPSHOT_MESSAGES))
  const turns = ctx.state.turns.map(({ turnId, messageId, agent, runId, answerId }) => ({
    turnId,
    messageId,
    agent,
    runId,
    answerId,
  }))
  const { owner, mode, control, lastMessageId: leafId, undelivered } = ctx.state
  const queued = ctx.state.turns.filter(({ phase }) => phase === 'queued')
  const waiting = queued.flatMap(({ joined, messageId }) => [...joined, messageId])
  const common = {
    conversationId,
    messages: newest,
    turns,
    control: { owner, mode, control },
    staff: staff ? await staffSnapshot(ctx, sql) : null,
    branch: { leafId, waiting, undelivered },
  }
  if (!staff) return common
  const reviews = (await openReviews(sql, conversationId)).map(({ item }) => item)
  return { ...common, reviews: reviews.slice(-SNAPSHOT_REVIEWS) }
}

function fitting(messages: readonly MessageFact[]): MessageFact[] {
  let bytes = 0
  const first = messages.findLastIndex((message) => {
    bytes += Buffer.byteLength(JSON.stringify(message))
    return bytes > SNAPSHOT_BYTES
  })
  return messages.slice(Math.min(first + 1, messages.length - 1))
}
