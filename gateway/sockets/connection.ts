import { z } from 'zod'
import { parse } from '#shared/actor/schema.ts'
import type { Reach } from '#shared/actor/ref.ts'
import { CloseRequest, OpenRequest, SendRequest, StopRequest, WatchRequest } from '#shared/contracts/client.ts'
import type { Ack } from '#shared/contracts/client.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { coded, publicError, refuse } from '#shared/errors/waggle-error.ts'
import { newId } from '#shared/lib/ids.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Entry } from '../log/entry.ts'
import type { OpenRequest as OpenLog, Opening } from '../log/log-reader.ts'
import type { LogReader } from '../log/log-reader.ts'
import { View } from '../log/view.ts'
import { openConversation, sendMessage, stopTurn } from './commands.ts'
import type { Rooms } from './rooms.ts'
import { socketSink } from './socket-sink.ts'
import type { ClientSocket } from './socket-sink.ts'
import { TokenBucket } from './token-bucket.ts'

export interface ConnectionParts {
  readonly reader: LogReader
  readonly reach: (principal: Principal) => Reach
  readonly rooms: Rooms
  readonly rate: { readonly perSecond: number; readonly burst: number }
  readonly clock: Clock
  readonly log: Logger
}

/** Conversations one socket may have open. */
export const MAX_OPEN = 50
const CHANNEL = 'web'

/**
 * One socket of one proved principal. It owns its openings of the log and closes them with the connection; a run goes on
 * without it (I4). Every event is validated, rate-limited and acknowledged, with the value or a coded error.
 */
export class Connection {
  readonly #socket: ClientSocket
  readonly #principal: Principal
  readonly #parts: ConnectionParts
  readonly #reach: Reach
  readonly #bucket: TokenBucket
  readonly #open = new Map<string, Opening>()
  #watching: Opening | null = null
  #over = false

  constructor(socket: ClientSocket, principal: Principal, parts: ConnectionParts) {
    this.#socket = socket
    this.#principal = principal
    this.#parts = parts
    this.#reach = parts.reach(principal)
    this.#bucket = new TokenBucket(parts.rate, parts.clock)
    socket.on('conversation:open', (request, ack) =>
      this.#answer(OpenRequest, request, ack, (input) => this.#openConversation(input)),
    )
    socket.on('conversation:close', (request, ack) =>
      this.#answer(CloseRequest, request, ack, (input) => this.#close(input.conversationId)),
    )
    socket.on('message:send', (request, ack) =>
      this.#answer(SendRequest, request, ack, (input) => sendMessage(this.#reach, input, CHANNEL)),
    )
    socket.on('run:stop', (request, ack) =>
      this.#answer(StopRequest, request, ack, (input) =>
        stopTurn(this.#reach, input.conversationId, input.turnId ?? null),
      ),
    )
    socket.on('swarm:watch', (request, ack) =>
      this.#answer(WatchRequest, request, ack, (input) => this.#watch(input.after)),
    )
    socket.on('swarm:unwatch', (request, ack) => this.#answer(z.looseObject({}), request, ack, () => this.#unwatch()))
    socket.once('disconnect', () => this.end())
  }

  /** Idempotent. */
  end(): void {
    this.#over = true
    for (const opening of this.#open.values()) opening.close()
    this.#open.clear()
    this.#watching?.close()
    this.#watching = null
  }

  #answer<Input, Value extends object>(
    schema: z.ZodType<Input>,
    request: unknown,
    ack: unknown,
    work: (input: Input) => Promise<After<Value>> | Promise<Value>,
  ): void {
    const say = typeof ack === 'function' ? (ack as (answer: Ack<Value>) => void) : (): void => {}
    void this.#handle(schema, request, work).then(
      ({ value, next }) => {
        say({ ok: true, ...value })
        next()
      },
      (error: unknown) => {
        const failure = coded(error)
        if (failure.code === 'INTERNAL')
          this.#parts.log.error({ user: this.#principal.user, reason: failure.message }, 'a socket event failed')
        say({ ok: false, error: publicError(failure) })
      },
    )
  }

  async #handle<Input, Value extends object>(
    schema: z.ZodType<Input>,
    request: unknown,
    work: (input: Input) => Promise<After<Value>> | Promise<Value>,
  ): Promise<After<Value>> {
    const retryAfterMs = this.#bucket.take()
    if (retryAfterMs > 0) throw refuse('RATE_LIMITED', { retryAfterMs })
    const value = await work(parse(schema as never, request ?? {}))
    return value instanceof After ? value : new After(value, () => {})
  }

  async #openConversation(
    input: z.infer<typeof OpenRequest>,
  ): Promise<After<{ conversationId: string; snapshot: Opening['snapshot'] }>> {
    const conversationId = input.conversationId ?? newId()
    if (input.conversationId === undefined) await openConversation(this.#reach, conversationId, CHANNEL)
    if (!this.#open.has(conversationId) && this.#open.size >= MAX_OPEN)
      throw refuse('RATE_LIMITED', { open: this.#open.size, limit: MAX_OPEN })
    const takeSnapshot = (): Promise<never> =>
      this.#reach.ref(Supervisor, conversationId).ask('snapshot', {}) as Promise<never>
    // A cursor alone proves nothing: whoever resumes is asked for again whether the conversation is theirs.
    if (input.after !== undefined) await takeSnapshot()
    const request = { conversationId, after: input.after, takeSnapshot }
    const opening =
      input.ops === true
        ? await this.#join(View.operator(this.#principal), request)
        : await this.#join(View.customer(this.#principal), request)
    if (this.#over) {
      opening.close()
      throw refuse('CANCELLED')
    }
    this.#open.get(conversationId)?.close()
    this.#open.set(conversationId, opening)
    return new After({ conversationId, snapshot: opening.snapshot }, () => opening.start())
  }

  #join<E extends Entry>(
    view: View<E>,
    request: Pick<OpenLog<E>, 'conversationId' | 'after' | 'takeSnapshot'>,
  ): Promise<Opening> {
    const { reader, rooms } = this.#parts
    const sink = socketSink(this.#socket, 'log', rooms.of(view, request.conversationId, 'log'))
    rooms.register(sink, this.#member())
    return reader.open({ ...request, view, sink })
  }

  async #close(conversationId: string): Promise<object> {
    this.#open.get(conversationId)?.close()
    this.#open.delete(conversationId)
    return {}
  }

  async #watch(after: string | undefined): Promise<After<{ cursor: string }>> {
    const { reader, rooms } = this.#parts
    const view = View.operator(this.#principal)
    const sink = socketSink(this.#socket, 'swarm', rooms.of(view, '*', 'swarm'))
    rooms.register(sink, this.#member())
    const opening = await reader.watch({ principal: this.#principal, after, sink })
    this.#watching?.close()
    this.#watching = opening
    if (this.#over) opening.close()
    return new After({ cursor: opening.cursor }, () => opening.start())
  }

  async #unwatch(): Promise<object> {
    this.#watching?.close()
    this.#watching = null
    return {}
  }

  #member(): { join: (room: string) => void; leave: (room: string) => void } {
    return { join: (room) => void this.#socket.join(room), leave: (room) => void this.#socket.leave(room) }
  }
}

/** An answer, and what follows once it has been said: entries must not overtake it. */
class After<Value extends object> {
  readonly value: Value
  readonly next: () => void

  constructor(value: Value, next: () => void) {
    this.value = value
    this.next = next
  }
}
