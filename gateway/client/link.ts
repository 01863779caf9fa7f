/**
 * One Socket.IO connection to a gateway, kept up for as long as it is wanted.
 *
 * Modes of `status`, and what leads on:
 *
 *   connecting   the first attempt runs                          -> catching-up | offline
 *   catching-up  connected; participants re-open by cursor       -> live | offline
 *   live         every participant has what it asked for         -> offline
 *   offline      no connection; tried again by itself, unless `refused` (bad token): then only `reconnect()` helps
 *
 * Participants (conversations, a watch) own what they read; the link owns the socket, the waiting between attempts and
 * the timers. Nothing is ever buffered in the socket: a request without a connection fails at once, as OFFLINE, and its
 * owner sends it again after the next `up`.
 */
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import type {
  Ack,
  ClientError,
  ClientToServer,
  LogEntry,
  PROTOCOL_VERSION,
  ServerToClient,
  Snapshot,
} from '#shared/contracts/client.ts'
import type { PresenceSignal, TypingSignal } from '#shared/contracts/client-control.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { Pause } from './pause.ts'
import { DEADLINE, OFFLINE, RequestFailed, asClientError, isRetryable } from './request-failed.ts'
import { Store } from './store.ts'
import type { Schedule, Subscribable } from './store.ts'

export const ACK_TIMEOUT_MS = 10_000
export const RETRY_FIRST_MS = 250
export const RETRY_MAX_MS = 5_000
const CONNECT_TIMEOUT_MS = 10_000
/** The gateway does not say where its replay ends: after a reconnect this much silence does, or the time below it. */
export const CATCH_UP_QUIET_MS = 100
const CATCH_UP_MAX_MS = 1_000
const PROTOCOL: typeof PROTOCOL_VERSION = 1

export type Status = 'connecting' | 'catching-up' | 'live' | 'offline'

export interface ConnectionState {
  readonly status: Status
  /** Failed attempts since it was last connected. */
  readonly attempt: number
  /** Why there is no connection. */
  readonly error: ClientError | null
  /** The gateway will not have us; trying again would not help. */
  readonly refused: boolean
  /** What the latest reconnect brought; null before the first. */
  readonly recovered: { readonly entries: number; readonly offlineMs: number; readonly at: number } | null
}

export interface Participant {
  /** After each connect: asks for what follows the last cursor. Resolves when that is agreed; the entries may follow. */
  readonly up: () => Promise<void>
  readonly down: () => void
  /** The whole link closes; it leaves by itself. */
  readonly close: () => void
  readonly log?: (entries: readonly LogEntry[]) => void
  readonly swarm?: (entries: readonly LogEntry[]) => void
  readonly snapshot?: (snapshot: Snapshot) => void
  readonly typing?: (signal: TypingSignal) => void
  readonly presence?: (signal: PresenceSignal) => void
}

export interface LinkOptions {
  readonly url: string
  readonly token?: string | undefined
  readonly apiKey?: string | undefined
  readonly ackTimeoutMs?: number | undefined
  readonly retryFirstMs?: number | undefined
  readonly retryMaxMs?: number | undefined
  readonly quietMs?: number | undefined
  readonly schedule?: Schedule | undefined
}

type Requests = keyof ClientToServer
export type RequestOf<Name extends Requests> = Parameters<ClientToServer[Name]>[0]
type AnswerOf<Name extends Requests> = Parameters<Parameters<ClientToServer[Name]>[1]>[0]
export type ValueOf<Name extends Requests> = Extract<AnswerOf<Name>, { ok: true }>

export class Link {
  readonly #socket: Socket<ServerToClient, ClientToServer>
  readonly #ackTimeoutMs: number
  readonly #retryFirstMs: number
  readonly #retryMaxMs: number
  readonly #quietMs: number
  readonly #quiet = new Pause()
  readonly #participants = new Set<Participant>()
  readonly #state: Store<ConnectionState>
  #timer: ReturnType<typeof setTimeout> | undefined
  #lostAt: number | null = null
  /** Grows with each connect and disconnect, so that a catching-up overtaken by either says nothing. */
  #generation = 0
  /** Entries of conversations since it was connected. */
  #heard = 0

  constructor(options: LinkOptions) {
    this.#ackTimeoutMs = options.ackTimeoutMs ?? ACK_TIMEOUT_MS
    this.#retryFirstMs = options.retryFirstMs ?? RETRY_FIRST_MS
    this.#retryMaxMs = options.retryMaxMs ?? RETRY_MAX_MS
    this.#quietMs = options.quietMs ?? CATCH_UP_QUIET_MS
    this.#state = new Store<ConnectionState>(
      { status: 'connecting', attempt: 0, error: null, refused: false, recovered: null },
      options.schedule,
    )
    const { token, apiKey } = options
    this.#socket = io(options.url, {
      auth: {
        ...(token === undefined ? {} : { token }),
        ...(apiKey === undefined ? {} : { apiKey }),
        protocol: PROTOCOL,
      },
      autoConnect: false,
      forceNew: true,
      reconnectionDelay: this.#retryFirstMs,
      reconnectionDelayMax: this.#retryMaxMs,
      timeout: CONNECT_TIMEOUT_MS,
      transports: ['websocket'],
    })
    this.#socket.on('connect', () => this.#up())
    this.#socket.on('disconnect', (reason) => this.#down(reason))
    this.#socket.on('connect_error', (error) => this.#failed(error))
    this.#socket.on('leaving', () => this.#leave())
    this.#socket.on('log', (entries) => {
      this.#heard += entries.length
      for (const participant of this.#participants) participant.log?.(entries)
    })
    this.#socket.on('swarm', (entries) => this.#participants.forEach((participant) => participant.swarm?.(entries)))
    this.#socket.on('snapshot', (snapshot) => this.#participants.forEach((one) => one.snapshot?.(snapshot)))
    this.#socket.on('typing', (signal) => this.#participants.forEach((one) => one.typing?.(signal)))
    this.#socket.on('presence', (signal) => this.#participants.forEach((one) => one.presence?.(signal)))
    this.#socket.connect()
  }

  get state(): Subscribable<ConnectionState> & { readonly latest: ConnectionState } {
    return this.#state
  }

  get connected(): boolean {
    return this.#socket.connected
  }

  /** Takes part from now on; when the connection is up already, `up` is called at once. */
  join(participant: Participant): () => void {
    this.#participants.add(participant)
    if (this.#socket.connected) void participant.up()
    return () => {
      this.#participants.delete(participant)
    }
  }

  /** Rejects with RequestFailed: the gateway's coded error, OFFLINE without a connection, DEADLINE without an answer. */
  async request<Name extends Requests>(name: Name, payload: RequestOf<Name>): Promise<ValueOf<Name>> {
    if (!this.#socket.connected) throw new RequestFailed(OFFLINE)
    const answer = await this.#emit(name, payload)
    if (!answer.ok) throw new RequestFailed(answer.error)
    return answer as ValueOf<Name>
  }

  /** Ends the waiting between two attempts. */
  reconnect(): void {
    if (this.#socket.connected) return
    clearTimeout(this.#timer)
    this.#set({ status: 'connecting', refused: false, error: null })
    this.#socket.disconnect().connect()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#quiet.end()
    this.#generation += 1
    for (const participant of this.#participants) participant.close()
    this.#socket.removeAllListeners()
    this.#socket.disconnect()
  }

  #emit<Name extends Requests>(name: Name, payload: RequestOf<Name>): Promise<Ack<object>> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket.timeout(this.#ackTimeoutMs) as unknown as {
        emit: (name: string, payload: object, ack: (error: Error | null, answer: Ack<object>) => void) => void
      }
      socket.emit(name, payload, (error, answer) => {
        if (error === null) resolve(answer)
        else reject(new RequestFailed(this.#socket.connected ? DEADLINE : OFFLINE))
      })
    })
  }

  #up(): void {
    const generation = ++this.#generation
    this.#heard = 0
    this.#set({ status: 'catching-up', attempt: 0, error: null, refused: false })
    const reopened = [...this.#participants].map((participant) => participant.up())
    void Promise.all(reopened).then(async () => {
      if (this.#lostAt !== null) await this.#untilQuiet(generation)
      if (generation !== this.#generation) return
      const lostAt = this.#lostAt
      this.#lostAt = null
      const at = Date.now()
      this.#set({
        status: 'live',
        ...(lostAt === null ? {} : { recovered: { entries: this.#heard, offlineMs: at - lostAt, at } }),
      })
    })
  }

  async #untilQuiet(generation: number): Promise<void> {
    const until = Date.now() + CATCH_UP_MAX_MS
    for (let heard = -1; heard !== this.#heard && Date.now() < until && generation === this.#generation;) {
      heard = this.#heard
      await this.#quiet.wait(this.#quietMs)
    }
  }

  #down(reason: string): void {
    this.#generation += 1
    this.#quiet.end()
    this.#lostAt ??= Date.now()
    this.#set({ status: 'offline', error: OFFLINE })
    for (const participant of this.#participants) participant.down()
    // The library comes back by itself, unless one of the two sides said goodbye.
    if (reason === 'io server disconnect') this.#connectLater()
  }

  #failed(error: Error & { readonly data?: unknown }): void {
    const { attempt, status } = this.#state.latest
    const reason = asClientError(error.data) ?? { ...OFFLINE, details: { reason: error.message } }
    const refused = !this.#socket.active && !isRetryable(reason)
    const first = status === 'connecting' && attempt === 0 && !refused
    this.#set({ status: first ? 'connecting' : 'offline', attempt: attempt + 1, error: reason, refused })
    if (!this.#socket.active && !refused) this.#connectLater()
  }

  /** The gateway drains: go to another one now, rather than when it has closed. */
  #leave(): void {
    this.#socket.disconnect()
    this.#connectLater()
  }

  #connectLater(): void {
    clearTimeout(this.#timer)
    const wait = backoffMs(this.#state.latest.attempt, this.#retryFirstMs, this.#retryMaxMs, Math.random)
    this.#timer = setTimeout(() => this.#socket.connect(), wait)
  }

  #set(change: Partial<ConnectionState>): void {
    this.#state.set({ ...this.#state.latest, ...change })
  }
}
