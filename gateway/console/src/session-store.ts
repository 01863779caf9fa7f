/**
 * The one live session of the page, outside React: the client, the watch and the conversation being shown. React only
 * subscribes. A session begins with a token and ends when the gateway refuses it or the person signs out.
 */
import { createClient } from '#gateway/client/client.ts'
import type { Client } from '#gateway/client/client.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import { Inbox } from '#gateway/client/inbox.ts'
import { Store } from '#gateway/client/store.ts'
import type { Swarm } from '#gateway/client/swarm.ts'
import { SWARM_FLUSH_MS, onFrame, paced } from './frame.ts'
import { readPlace } from './place-store.ts'
import {
  asCredentials,
  conversationInAddress,
  forgetToken,
  keepConversation,
  keepToken,
  pageInAddress,
  readPrincipal,
  savedConversation,
  showInAddress,
  takeToken,
} from './session.ts'
import type { Principal } from './session.ts'

export interface Session {
  readonly principal: Principal
  readonly token: string
  readonly client: Client
  readonly swarm: Swarm
  readonly inbox: Inbox
  readonly conversation: Conversation
  /** Another number for each conversation shown. */
  readonly serial: number
}

/** Null: nobody is signed in. */
export const session = new Store<Session | null>(null, (flush) => flush())

/** With what the tab knows already: a token in the address or kept from before a reload. */
export function resumeSession(): void {
  const token = takeToken()
  if (token !== null && token !== session.latest?.token) beginSession(token)
}

export function beginSession(token: string): void {
  session.latest?.inbox.close()
  session.latest?.client.close()
  keepToken(token)
  const client = createClient({ url: location.origin, schedule: onFrame, ...asCredentials(token) })
  const id = conversationInAddress()
  const saved = savedConversation(id) ?? undefined
  const conversation = client.conversation(id ?? undefined, { ops: true, saved })
  followAddress(conversation)
  const swarm = client.watch({ schedule: paced(SWARM_FLUSH_MS) })
  session.set({
    principal: readPrincipal(token),
    token,
    client,
    swarm,
    inbox: new Inbox({ reviews: client.reviews, connection: client.connection, swarm }, onFrame),
    conversation,
    serial: 0,
  })
}

export function endSession(): void {
  session.latest?.inbox.close()
  session.latest?.client.close()
  forgetToken()
  readPlace()
  session.set(null)
}

/** From another page back to the conversation that is behind it. */
export function showChat(): void {
  const id = session.latest?.conversation.id ?? ''
  showInAddress(id === '' ? null : id, 'push')
  readPlace()
}

/** Shows another conversation; null begins a new one. */
export function showConversation(id: string | null, how: 'push' | 'keep address' = 'push'): void {
  const current = session.latest
  if (current === null || (id !== null && id === current.conversation.id)) return
  current.conversation.close()
  const conversation = current.client.conversation(id ?? undefined, { ops: true })
  if (how === 'push') {
    showInAddress(id, 'push')
    readPlace()
  }
  followAddress(conversation)
  session.set({ ...current, conversation, serial: current.serial + 1 })
}

/** A new conversation is in the address as soon as it has an id. */
function followAddress(conversation: Conversation): void {
  if (conversation.id !== '') return
  const unsubscribe = conversation.subscribe(() => {
    if (conversation.id === '') return
    unsubscribe()
    if (session.latest?.conversation === conversation && !pageInAddress()) showInAddress(conversation.id, 'replace')
  })
}

addEventListener('pagehide', () => {
  const current = session.latest
  if (current !== null) keepConversation(current.conversation.save())
})
addEventListener('popstate', () => {
  resumeSession()
  readPlace()
  // Behind another page the conversation stays as it is, for the way back.
  const id = conversationInAddress()
  if (!pageInAddress() && (id ?? '') !== session.latest?.conversation.id) showConversation(id, 'keep address')
})
