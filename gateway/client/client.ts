import { Conversation } from './conversation.ts'
import type { ConversationOptions } from './conversation.ts'
import { Link, RETRY_FIRST_MS, RETRY_MAX_MS } from './link.ts'
import type { ConnectionState, LinkOptions } from './link.ts'
import { reviewsOf } from './reviews.ts'
import type { Reviews } from './reviews.ts'
import type { Subscribable } from './store.ts'
import { Swarm } from './swarm.ts'
import type { SwarmOptions } from './swarm.ts'

export type ClientOptions = LinkOptions

export interface Client {
  readonly connection: Subscribable<ConnectionState> & { readonly latest: ConnectionState }
  /** Without an id: a new one, which the gateway hears of with the first message. */
  readonly conversation: (id?: string, options?: ConversationOptions) => Conversation
  readonly watch: (options?: SwarmOptions) => Swarm
  /** What waits for people; for operators. */
  readonly reviews: Reviews
  /** Tries to connect now; the only way on after a refusal. */
  readonly reconnect: () => void
  readonly close: () => void
}

/**
 * The client of the gateway's Socket.IO protocol for pages and for Node. One connection carries any number of
 * conversations and a watch.
 *
 *   const client = createClient({ url: 'http://127.0.0.1:4500', token })
 *   const conversation = client.conversation()
 *   conversation.subscribe(() => render(conversation.getSnapshot()))
 *   const { messageId } = await conversation.send('Where is my order 1042?').receipt
 */
export function createClient(options: ClientOptions): Client {
  const link = new Link(options)
  const schedule = options.schedule ?? ((flush: () => void) => queueMicrotask(flush))
  const retryFirstMs = options.retryFirstMs ?? RETRY_FIRST_MS
  const retryMaxMs = options.retryMaxMs ?? RETRY_MAX_MS
  return {
    connection: link.state,
    conversation: (id, conversationOptions = {}) =>
      new Conversation({ link, schedule, retryFirstMs, retryMaxMs }, id, conversationOptions),
    watch: (swarmOptions = {}) => new Swarm(link, { firstMs: retryFirstMs, maxMs: retryMaxMs }, schedule, swarmOptions),
    reviews: reviewsOf(link),
    reconnect: () => link.reconnect(),
    close: () => link.close(),
  }
}
