/**
 * One conversation as a client sees it: the folded log, the messages still on their way, and how it stands.
 *
 * Modes of `phase`:
 *   new       no id yet; nothing exists at the gateway until something is sent
 *   opening   asked for; entries that arrive meanwhile wait in `#early`, because the answer may bring a snapshot
 *   open      entries are folded as they come
 *   failed    refused for good (`error` says why)
 *   closed    left by the caller; nothing is heard any more
 *
 * The link calls `up` and `down`; each `up` opens again after the last cursor, so that nothing is lost and nothing comes
 * twice (I5). The conversation owns its outbox, which sends only while it is open.
 */
import type { ClientError, LogEntry, SendReceipt, Snapshot, StopReceipt } from '#shared/contracts/client.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import type { PresenceSignal, TypingSignal } from '#shared/contracts/client-control.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { isAfter } from './after-cursor.ts'
import { emptyConversation, fromSnapshot } from './conversation-state.ts'
import type { ConversationState } from './conversation-state.ts'
import type { Link, Participant, RequestOf, ValueOf } from './link.ts'
import { LiveSigns } from './live-signs.ts'
import type { LiveView } from './live-signs.ts'
import { newClientId } from './new-id.ts'
import { Outbox } from './outbox.ts'
import type { PendingMessage } from './outbox.ts'
import { Pause } from './pause.ts'
import { reduce } from './reduce.ts'
import { failureOf, isRetryable, retryAfterMs } from './request-failed.ts'
import { Store } from './store.ts'
import { withPast } from './with-past.ts'
import type { Schedule, Subscribable } from './store.ts'

/** Entries kept while opening; beyond it they are dropped, and it is opened once more after the last that was kept (I11). */
const EARLY_MAX = 20_000

export interface ConversationView {
  readonly phase: 'new' | 'opening' | 'open' | 'failed' | 'closed'
  readonly error: ClientError | null
  readonly state: ConversationState
  /** Written here and not in the log yet. */
  readonly pending: readonly PendingMessage[]
}

/** What a page keeps over a reload. JSON-safe. */
export interface SavedConversation {
  readonly version: 2
  readonly state: ConversationState
  readonly pending: readonly PendingMessage[]
}

export interface ConversationOptions {
  /** Operators' events too, where the role allows; without them where it does not. */
  readonly ops?: boolean
  readonly saved?: SavedConversation | undefined
}

export interface SendOptions {
  readonly id?: string
  /** Skips routing. */
  readonly agent?: string | null
  /** What becomes of it if a turn is at work; the agent decides where it is not given. The receipt says what became of it. */
  readonly whileRunning?: WhileRunning
  /** An earlier message of one's own that this one stands for, on a branch of its own. */
  readonly editOf?: string
}

export interface Sent {
  readonly id: string
  /** Rejects with RequestFailed when the gateway refuses it for good. */
  readonly receipt: Promise<SendReceipt>
}

interface Inner {
  readonly link: Link
  readonly schedule: Schedule | undefined
  readonly retryFirstMs: number
  readonly retryMaxMs: number
}

/** What is asked about one conversation, beside opening it and what the outbox sends. */
export type ConversationRequest =
  | 'conversation:control'
  | 'conversation:assign'
  | 'conversation:read'
  | 'message:reply'
  | 'note:add'
  | 'typing'

export type EntryListener = (entry: LogEntry, state: ConversationState) => void

export class Conversation implements Subscribable<ConversationView>, Participant {
  readonly #inner: Inner
  readonly #store: Store<ConversationView>
  readonly #outbox: Outbox
  readonly #pause = new Pause()
  readonly #live: LiveSigns
  readonly #listeners = new Set<EntryListener>()
  #leave: () => void = () => undefined
  #ops: boolean
  #wanted: boolean
  /** Grows when an opening is overtaken by a lost connection or by closing. */
  #generation = 0
  #early: (LogEntry | Snapshot)[] | null = null
  #overflown = false

  constructor(inner: Inner, id: string | undefined, options: ConversationOptions) {
    const { saved } = options
    this.#inner = inner
    this.#ops = options.ops ?? false
    this.#wanted = id !== undefined || (saved?.pending.length ?? 0) > 0
    const state = saved?.state ?? emptyConversation(id)
    this.#store = new Store<ConversationView>(
      { phase: this.#wanted ? 'opening' : 'new', error: null, state, pending: [] },
      inner.schedule,
    )
    this.#live = new LiveSigns(inner.schedule)
    this.#outbox = new Outbox(
      {
        send: (message) => this.#send(message),
        changed: () => this.#set({}),
        retryFirstMs: inner.retryFirstMs,
        retryMaxMs: inner.retryMaxMs,
      },
      saved?.pending,
    )
    this.#set({})
    this.#leave = inner.link.join(this)
  }

  /** Empty until it has one. */
  get id(): string {
    return this.latest.state.conversationId
  }

  /** The newest view; `getSnapshot` gives the one that watchers were told of. */
  get latest(): ConversationView {
    return this.#store.latest
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener)
  readonly getSnapshot = (): ConversationView => this.#store.getSnapshot()

  /** Each entry once, in log order, with the state after it. A snapshot is no entry: compare states for what it brought. */
  onEntry(listener: EntryListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Works offline too: it goes out, under the same id, when there is a way. */
  send(text: string, options: SendOptions = {}): Sent {
    const id = options.id ?? newClientId()
    const { agent = null, whileRunning, editOf } = options
    const how = { ...(whileRunning === undefined ? {} : { whileRunning }), ...(editOf === undefined ? {} : { editOf }) }
    const receipt = this.#outbox.add({ id, text, agent, ...how, at: Date.now() })
    void receipt.then(
      () => this.#forgetStored(),
      () => undefined,
    )
    this.#want()
    return { id, receipt }
  }

  retry(id: string): void {
    this.#outbox.retry(id)
  }

  /** False when it is under way already. */
  discard(id: string): boolean {
    return this.#outbox.discard(id)
  }

  /** Stops a turn, or whatever runs. Rejects with RequestFailed. */
  async stop(turnId?: string): Promise<StopReceipt> {
    const request = { conversationId: this.id, ...(turnId === undefined ? {} : { turnId }) }
    const { status, turnId: stopped } = await this.#inner.link.request('run:stop', request)
    return { status, turnId: stopped }
  }

  /** Answers a message once more, beside the answer that is there. Rejects with RequestFailed: BUSY while a turn is at work. */
  async regenerate(messageId: string): Promise<SendReceipt> {
    const request = { conversationId: this.id, messageId, id: newClientId() }
    const receipt = await this.#inner.link.request('message:regenerate', request)
    return { messageId: receipt.messageId, turnId: receipt.turnId, status: receipt.status }
  }

  /** Makes the branch through a message the active one: `alternativesOf` lists what there is to choose from. */
  async select(messageId: string): Promise<string> {
    const { leafId } = await this.#inner.link.request('branch:select', { conversationId: this.id, messageId })
    return leafId
  }

  /** Anything else that can be asked of the gateway about this conversation. Rejects with RequestFailed. */
  async request<Name extends ConversationRequest>(
    name: Name,
    payload: Omit<RequestOf<Name>, 'conversationId'>,
  ): Promise<ValueOf<Name>> {
    return await this.#inner.link.request(name, { ...payload, conversationId: this.id } as RequestOf<Name>)
  }

  /** What people do here now: not in the log, and gone when nothing more is heard of it. */
  get live(): Subscribable<LiveView> {
    return this.#live
  }

  /** Opens a new conversation now instead of with its first message. */
  open(): void {
    this.#want()
  }

  save(): SavedConversation {
    return { version: 2, state: this.latest.state, pending: this.#outbox.messages }
  }

  readonly close = (): void => {
    if (this.latest.phase === 'closed') return
    this.#generation += 1
    this.#pause.end()
    this.#live.clear()
    this.#leave()
    this.#outbox.end()
    this.#set({ phase: 'closed' })
    if (this.id === '' || !this.#inner.link.connected) return
    void this.#inner.link.request('conversation:close', { conversationId: this.id }).catch(() => undefined)
  }

  // Called by the link.

  readonly up = async (): Promise<void> => {
    const generation = ++this.#generation
    if (!this.#wanted || this.latest.phase === 'failed') return
    this.#set({ phase: 'opening' })
    for (let attempt = 0; ; attempt += 1) {
      this.#early = []
      try {
        return await this.#reopen(generation)
      } catch (thrown) {
        if (generation !== this.#generation) return
        const error = failureOf(thrown)
        if (error.code === 'FORBIDDEN' && this.#ops) {
          this.#ops = false
          continue
        }
        if (!isRetryable(error)) {
          this.#early = null
          this.#set({ phase: 'failed', error })
          return
        }
        const { retryFirstMs, retryMaxMs } = this.#inner
        const wait = Math.max(retryAfterMs(error), backoffMs(attempt, retryFirstMs, retryMaxMs, Math.random))
        this.#set({ error })
        await this.#pause.wait(wait)
        if (generation !== this.#generation) return
      }
    }
  }

  readonly typing = (signal: TypingSignal): void => {
    if (signal.conversationId === this.id) this.#live.typing(signal)
  }

  readonly presence = (signal: PresenceSignal): void => {
    if (signal.conversationId === this.id) this.#live.presence(signal)
  }

  readonly down = (): void => {
    this.#generation += 1
    this.#live.clear()
    this.#early = null
    this.#pause.end()
    this.#outbox.close()
  }

  readonly log = (entries: readonly LogEntry[]): void => {
    if (this.#early === null) this.#fold(entries)
    else if (this.#early.length + entries.length > EARLY_MAX) this.#overflown = true
    else this.#early.push(...entries)
  }

  readonly snapshot = (snapshot: Snapshot): void => {
    if (this.#early !== null) this.#early.push(snapshot)
    else if (snapshot.conversationId === this.id && this.latest.phase === 'open') this.#replace(snapshot)
  }

  async #reopen(generation: number): Promise<void> {
    const { conversationId, cursor } = this.latest.state
    const opened = await this.#inner.link.request('conversation:open', {
      ...(conversationId === '' ? {} : { conversationId }),
      ...(cursor === null ? {} : { after: cursor }),
      ...(this.#ops ? { ops: true } : {}),
    })
    if (generation !== this.#generation) return
    const early = this.#early ?? []
    this.#early = null
    const { state } = this.latest
    this.#set({ phase: 'open', error: null, state: { ...state, conversationId: opened.conversationId } })
    if (opened.snapshot !== null) this.#replace(opened.snapshot)
    for (const item of early) {
      if (!('messages' in item)) this.#fold([item])
      else if (item.conversationId === this.id) this.#replace(item)
    }
    if (this.#overflown) {
      this.#overflown = false
      this.#early = []
      return this.#reopen(generation)
    }
    this.#outbox.open()
  }

  #want(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#set({ phase: 'opening' })
    if (this.#inner.link.connected) void this.up()
  }

  #fold(entries: readonly LogEntry[]): void {
    const before = this.latest.state
    let state = before
    for (const entry of entries) {
      if (entry.conversationId !== this.id || !isAfter(entry.cursor, state.cursor)) continue
      state = reduce(state, entry)
      for (const listener of this.#listeners) listener(entry, state)
    }
    if (state === before) return
    this.#set({ state })
    this.#forgetStored()
  }

  #replace(snapshot: Snapshot): void {
    this.#set({ state: withPast(fromSnapshot(snapshot), snapshot.past ?? []) })
    this.#forgetStored()
  }

  async #send(message: PendingMessage): Promise<SendReceipt> {
    const { id, text, agent, whileRunning, editOf } = message
    const { messageId, turnId, status } = await this.#inner.link.request('message:send', {
      conversationId: this.id,
      id,
      text,
      ...(agent === null ? {} : { agent }),
      ...(whileRunning === undefined ? {} : { whileRunning }),
      ...(editOf === undefined ? {} : { editOf }),
    })
    return { messageId, turnId, status }
  }

  #set(change: Partial<ConversationView>): void {
    this.#store.set(this.#withPending({ ...this.latest, ...change }))
  }

  #forgetStored(): void {
    const { messages } = this.latest.state
    this.#outbox.forget((id) => messages.some((message) => message.clientId === id))
  }

  /** What stands in the log is shown once, though its receipt may still be under way. */
  #withPending(view: ConversationView): ConversationView {
    const pending = this.#outbox.messages
    if (pending.length === 0) return view.pending.length === 0 ? view : { ...view, pending }
    const stored = new Set(view.state.messages.map((message) => message.clientId))
    return { ...view, pending: pending.filter((message) => !stored.has(message.id)) }
  }
}
