/** What tests of review items share: an operator who decides, and the words of a log about them. */
import type { Decision, ReviewItem } from '#shared/contracts/review.ts'
import { Desk } from '#shared/contracts/review.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { SwarmEntry, TestSwarm } from './swarm.ts'

export const payloads = (entries: readonly SwarmEntry[], type: string): Record<string, unknown>[] =>
  entries.filter(({ event }) => event.type === type).map(({ event }) => event.payload as Record<string, unknown>)

export async function send(swarm: TestSwarm, conversation: string, text: string, clientId = 'm1'): Promise<unknown> {
  const message = { clientId, text, agent: null, channel: 'test' }
  return await swarm.reach().ref(Supervisor, conversation).confirm('send', message)
}

/** The open items of a conversation once there are as many, by the log and then by the desk. */
export async function parkedItems(swarm: TestSwarm, conversation: string, count = 1): Promise<readonly ReviewItem[]> {
  await swarm.until(conversation, ({ event }, entries) => {
    const items = new Map(payloads(entries, 'review:changed').map((item) => [item['id'], item]))
    return (
      event.type === 'review:changed' && [...items.values()].filter((item) => item['state'] === 'open').length >= count
    )
  })
  const { items } = await swarm.reach('olga', ['operator']).ref(Desk, conversation).ask('items', {})
  return items
}

export async function decide(
  swarm: TestSwarm,
  item: ReviewItem,
  decision: Decision,
  user = 'olga',
  changed: { readonly nonce?: string; readonly argsHash?: string } = {},
): Promise<ReviewItem> {
  const { id: itemId, nonce, argsHash, conversationId } = item
  const request = { itemId, nonce, argsHash, decision, ...changed }
  return (await swarm.reach(user, ['operator']).ref(Desk, conversationId).confirm('decide', request)) as ReviewItem
}

/** The conversation once its turn has ended. */
export function ended(swarm: TestSwarm, conversation: string): Promise<SwarmEntry[]> {
  return swarm.until(conversation, ({ event }) => event.type === 'turn:ended')
}
