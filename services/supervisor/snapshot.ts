import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { Snapshot } from '#shared/contracts/client.ts'
import { newestMessages } from './stored-messages.ts'
import type { SupervisorState } from './state.ts'

/** Messages of a snapshot, the newest. */
const SNAPSHOT_MESSAGES = 200

/** The conversation as it stands in this transaction: whoever asks has read the log's sequence before (I5). */
export async function readSnapshot(ctx: Context<SupervisorState>, sql: TenantSql): Promise<Omit<Snapshot, 'cursor'>> {
  const conversationId = ctx.key[0]!
  const newest = await newestMessages(sql, conversationId, SNAPSHOT_MESSAGES)
  const turns = ctx.state.turns.map(({ turnId, messageId, agent, runId, answerId }) => ({
    turnId,
    messageId,
    agent,
    runId,
    answerId,
  }))
  const { owner, mode, control } = ctx.state
  return { conversationId, messages: newest, turns, control: { owner, mode, control } }
}
