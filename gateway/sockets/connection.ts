import { z } from 'zod'
import { parse } from '#shared/actor/schema.ts'
import type { Reach } from '#shared/actor/ref.ts'
import type { ActorSystem } from '#shared/actor/system.ts'
import { CloseRequest, OpenRequest, WatchRequest } from '#shared/contracts/client.ts'
import type { Ack, ClientToServer } from '#shared/contracts/client.ts'
import { WaggleError, coded, publicError, refuse } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { newId } from '#shared/lib/ids.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Metrics } from '#shared/telemetry/metrics.ts'
import { newTrace, traceId } from '#shared/telemetry/trace.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Session } from '#gateway/auth/authenticator.ts'
import type { ConversationAccess } from '#gateway/auth/conversation-access.ts'
import type { RateLimiter } from '#gateway/auth/rate-limiter.ts'
import { TokenBucket } from '#gateway/auth/token-bucket.ts'
import type { Rate } from '#gateway/auth/token-bucket.ts'
import type { Entry } from '#gateway/log/entry.ts'
import type { LogReader, Opening } from '#gateway/log/log-reader.ts'
import { View } from '#gateway/log/view.ts'
import { openConversation, takeSnapshot } from '#gateway/operations/messages.ts'
import { conversationOf, perform } from '#gateway/operations/operation.ts'
import type { Operation } from '#gateway/operations/operation.ts'
import { OPERATIONS } from '#gateway/operations/operations.ts'
import type { Presence } from '#gateway/presence/presence.ts'
import { TypingRequest } from '#shared/contracts/client-control.ts'
import { Lanes } from './lanes.ts'
import { Seats } from './seats.ts'
import { conversationRoom, socketSink } from './socket-sink.ts'
import type { ClientServer, ClientSocket } from './socket-sink.ts'

export interface ConnectionParts {
  readonly io: ClientServer
  readonly reader: LogReader
  readonly system: Pick<ActorSystem, 'reach' | 'node'>
  readonly access: ConversationAccess
  /** Of principals, over all their sockets and requests here. */
  readonly limiter: RateLimiter
  readonly presence: Presence
  /** Of each socket. */
  readonly rate: Rate
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
}

/** Conversations one socket may have open. */
export const MAX_OPEN = 50
/** Events refused by the rate in a row; then the client is not listening, and is sent away. */
export const MAX_REFUSED = 200
const CHANNEL = 'web'

type EventName = keyof ClientToServer

/** What comes of an event: its answer, and what follows once that has been said. */
interface Outcome<Value extends object> {
  readonly value: Value
  readonly next?: () => void
}

/**
 * One socket of one proved principal. It owns its openings of the log and closes them with the connection; a run goes on
 * without it (I4). Every event is validated, rate-limited and acknowledged, with the value or a coded error; messages of
 * one conversation go out in the order in which they came in (I2).
 */
export class Connection {
  readonly session: Session
  readonly #socket: ClientSocket
  readonly #principal: Principal
  readonly #parts: ConnectionParts
  readonly #bucket: TokenBucket
  readonly #sending = new Lanes()
  readonly #opening = new Lanes()
  readonly #open = new Map<string, Opening>()
  readonly #seats: Seats
  #watching: Opening | null = null
  #refused = 0
  #over = false

  constructor(socket: ClientSocket, session: Session, parts: ConnectionParts) {
    this.session = session
    this.#socket = socket
    this.#principal = session.principal
    this.#parts = parts
    this.#bucket = new TokenBucket(parts.rate, parts.clock)
    this.#seats = new Seats(socket, session.principal, parts)
    // Also events that nobody knows cost something.
    socket.use((event, next) => {
      if (this.#admit(event)) next()
    })
    this.#on('conversation:open', OpenRequest, (input, reach) => this.#openConversation(input, reach))
    this.#on('conversation:close', CloseRequest, ({ conversationId }) =>
      this.#opening.run(conversationId, async () => {
        this.#leave(conversationId)
        return { value: {} }
      }),
    )
    for (const operation of OPERATIONS)
      this.#on(operation.event, operation.input, (input, reach) => this.#perform(operation, input, reach))
    this.#on('typing', TypingRequest, async ({ conversationId, on, where }) => {
      this.#seats.typing(conversationId, on, where)
      return { value: {} }
    })
    this.#on('swarm:watch', WatchRequest, ({ after }) => this.#opening.run('*', () => this.#watch(after)))
    this.#on('swarm:unwatch', z.looseObject({}), () =>
      this.#opening.run('*', async () => {
        this.#unwatch()
        return { value: {} }
      }),
    )
    socket.once('disconnect', () => this.end())
  }

  get principal(): Principal {
    return this.#principal
  }

  /** Sends the client away; it may come again with its cursors. */
  dismiss(reason: string): void {
    this.#parts.metrics.count('waggle_sockets_closed_total', { reason })
    this.end()
    this.#socket.disconnect(true)
  }

  /** Idempotent. */
  end(): void {
    this.#over = true
    for (const opening of this.#open.values()) opening.close()
    this.#open.clear()
    this.#seats.leaveAll()
    this.#unwatch()
  }

  /** False: it was refused, and told so. */
  #admit(event: readonly unknown[]): boolean {
    try {
      const retryAfterMs = this.#bucket.take()
      if (retryAfterMs > 0) throw refuse('RATE_LIMITED', { retryAfterMs })
      this.#parts.limiter.take(`${this.#principal.tenant} ${this.#principal.user}`)
      this.#refused = 0
      return true
    } catch (error) {
      this.#parts.metrics.count('waggle_limited_total', { limit: 'socket' })
      this.#say(event.at(-1), { ok: false, error: publicError(coded(error)) })
      if (++this.#refused > MAX_REFUSED) this.dismiss('does not slow down')
      return false
    }
  }

  #on<Input>(
    name: EventName,
    schema: z.ZodType<Input>,
    work: (input: Input, reach: Reach) => Promise<Outcome<object>>,
  ): void {
    const handler = (request: unknown, ack: unknown): void => void this.#answer(name, schema, request, ack, work)
    this.#socket.on(name, handler as never)
  }

  async #answer<Input>(
    name: EventName,
    schema: z.ZodType<Input>,
    request: unknown,
    ack: unknown,
    work: (input: Input, reach: Reach) => Promise<Outcome<object>>,
  ): Promise<void> {
    const trace = newTrace()
    let code = 'ok'
    try {
      const input = parse(schema, request ?? {})
      const { value, next } = await work(input, this.#parts.system.reach(this.#principal, trace))
      this.#say(ack, { ok: true, ...value })
      next?.()
    } catch (thrown) {
      const failure = coded(thrown)
      const said = publicError(failure)
      code = said.code
      if (said.code === 'INTERNAL')
        this.#parts.log.error({ event: name, trace: traceId(trace), error: failure }, 'A socket event failed.')
      const details = said.code === 'INTERNAL' ? { traceId: traceId(trace) } : said.details
      this.#say(ack, { ok: false, error: { ...said, details } })
    }
    this.#parts.metrics.count('waggle_socket_events_total', { event: name, code })
  }

  async #perform(operation: Operation, input: Record<string, unknown>, reach: Reach): Promise<Outcome<object>> {
    const call = { reach, principal: this.#principal, channel: CHANNEL }
    const work = async (): Promise<Outcome<object>> => ({
      value: await perform(operation, call, input, this.#parts.access),
    })
    return operation.ordered === true ? await this.#sending.run(conversationOf(input) ?? '', work) : await work()
  }

  #say(ack: unknown, answer: Ack<object>): void {
    if (typeof ack === 'function') (ack as (answer: Ack<object>) => void)(answer)
  }

  async #openConversation(input: z.infer<typeof OpenRequest>, reach: Reach): Promise<Outcome<object>> {
    const view = input.ops === true ? View.operator(this.#principal) : View.customer(this.#principal)
    const { conversationId } = input
    if (conversationId !== undefined) {
      return await this.#opening.run(conversationId, async () => {
        await this.#parts.access.require(this.#principal, conversationId)
        return await this.#join(conversationId, input.after, view, reach)
      })
    }
    this.#checkOpen()
    const id = newId()
    await openConversation(reach, id, CHANNEL)
    return await this.#join(id, undefined, view, reach)
  }

  async #join<E extends Entry>(
    conversationId: string,
    after: string | undefined,
    view: View<E>,
    reach: Reach,
  ): Promise<Outcome<object>> {
    // At once: what the old one said while the new one is made, the new one would say again.
    this.#leave(conversationId)
    this.#checkOpen()
    const { io, reader } = this.#parts
    const room = conversationRoom<E>(io, this.#socket, view.tenant, conversationId, view.audiences)
    const opening = await reader.open({
      view,
      conversationId,
      after,
      takeSnapshot: () => takeSnapshot(reach, conversationId, view.audiences.includes('ops')),
      sink: socketSink(this.#socket, 'log', room, (error) => this.dismiss(error.code)),
    })
    if (this.#over) {
      opening.close()
      throw new WaggleError('CANCELLED')
    }
    this.#open.set(conversationId, opening)
    this.#seats.enter(conversationId, view.audiences.includes('ops'))
    return { value: { conversationId, snapshot: opening.snapshot }, next: () => opening.start() }
  }

  #leave(conversationId: string): void {
    this.#open.get(conversationId)?.close()
    this.#open.delete(conversationId)
    this.#seats.leave(conversationId)
  }

  #checkOpen(): void {
    if (this.#open.size >= MAX_OPEN) {
      throw refuse('OVERLOADED', { reason: 'Close some of the open conversations first.', limit: MAX_OPEN })
    }
  }

  async #watch(after: string | undefined): Promise<Outcome<object>> {
    this.#unwatch()
    const sink = socketSink<Entry>(this.#socket, 'swarm', null, (error) => this.dismiss(error.code))
    const opening = await this.#parts.reader.watch({ principal: this.#principal, after, sink })
    if (this.#over) {
      opening.close()
      throw new WaggleError('CANCELLED')
    }
    this.#watching = opening
    return { value: { cursor: opening.cursor }, next: () => opening.start() }
  }

  #unwatch(): void {
    this.#watching?.close()
    this.#watching = null
  }
}
