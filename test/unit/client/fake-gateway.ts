/**
 * A small gateway for tests: the Socket.IO protocol of shared/contracts/client.ts over one log in memory, with the faults
 * a client must live with at hand. It says whatever the test tells it to (`say`), or what a `brain` answers.
 *
 * Like the real one it has one numbered log, serves everything after a cursor, gives a snapshot for a cursor it does
 * not know, and stores a message once per client id. Who may see `ops` is decided by the token.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import type { Socket } from 'socket.io'
import type { Ack, ClientError, ClientToServer, LogEntry, ServerToClient, Snapshot } from '#shared/contracts/client.ts'
import type { EventPayload, EventType, MessageFact, ReviewItem } from '#shared/contracts/event-map.ts'
import { Decision } from '#shared/contracts/review.ts'
import { CATALOGUE } from '#shared/errors/catalogue.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { hold } from '#test/kit/leaks.ts'
import { FakeLog } from './fake-log.ts'

export const OPERATOR_TOKEN = 'operator-token'
export const CUSTOMER_TOKEN = 'customer-token'

type Peer = Socket<ClientToServer, ServerToClient>
export interface Received {
  readonly conversationId: string
  readonly id: string
  readonly text: string
  readonly agent: string | undefined
}

export interface Faults {
  /** Consulted for each `message:send`; what it gives is the answer instead of the receipt. The message is stored anyway. */
  onSend?: (message: Received, attempt: number) => Ack<object> | 'lose the ack' | 'refuse' | undefined
  /** The answer to `conversation:open` comes after the entries it asked for, as from a gateway that replays first. */
  ackLast?: boolean
  /** What a stop sets off, for a turn that was named. */
  onStop?: (conversationId: string, turnId: string) => void
  /** Runs between the replay of an opening and its answer. */
  onOpen?: (conversationId: string) => void
}

export type Brain = (gateway: FakeGateway, message: MessageFact, conversationId: string) => Promise<void> | void

export class FakeGateway {
  readonly #http: HttpServer
  readonly #io: Server<ClientToServer, ServerToClient>
  readonly #released: () => void
  readonly #attempts = new Map<string, number>()
  readonly log = new FakeLog()
  readonly faults: Faults = {}
  /** Every `message:send` that came, repeats included. */
  readonly received: Received[] = []
  /** What waits for an operator. */
  readonly reviews: ReviewItem[] = []
  readonly stops: { conversationId: string; turnId: string | undefined }[] = []
  brain: Brain = () => undefined
  #connections = 0

  static async start(
    options: { handle?: (request: IncomingMessage, response: ServerResponse) => void } = {},
  ): Promise<FakeGateway> {
    const gateway = new FakeGateway(options.handle)
    await new Promise<void>((resolve) => gateway.#http.listen(0, '127.0.0.1', resolve))
    return gateway
  }

  private constructor(
    handle: (request: IncomingMessage, response: ServerResponse) => void = (_, r) => void r.writeHead(404).end(),
  ) {
    this.#http = createServer(handle)
    this.#io = new Server(this.#http, { transports: ['websocket'], serveClient: false })
    this.#released = hold('server', 'fake gateway')
    this.#io.use((socket, next) => {
      this.#connections += 1
      const said = tokenOf(socket)
      if (said === OPERATOR_TOKEN || said === CUSTOMER_TOKEN) return next()
      next(Object.assign(new Error('UNAUTHENTICATED'), { data: coded('UNAUTHENTICATED') }))
    })
    this.#io.on('connection', (socket) => this.#serve(socket))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  /** Handshakes so far, refused ones included. */
  get connections(): number {
    return this.#connections
  }

  /** Appends an event and sends it to whoever may see it. */
  say<Type extends EventType>(
    conversationId: string,
    type: Type,
    payload: EventPayload<Type>,
    by = 'supervisor',
  ): LogEntry {
    const entry = this.log.append(conversationId, type, payload, by)
    this.sayAgain(entry)
    return entry
  }

  /** Sends an entry of the log once more, as a replay that overlaps. */
  sayAgain(entry: LogEntry): void {
    this.#io.to(`${entry.conversationId}/${entry.audience}`).emit('log', [entry])
    this.#io.to('swarm').emit('swarm', [entry])
  }

  /** Cuts every connection as a network would. */
  cut(): void {
    this.#io.sockets.sockets.forEach((socket) => socket.conn.close())
  }

  leaving(): void {
    this.#io.emit('leaving')
  }

  /** Sends each reader of a conversation its state anew. */
  sendSnapshot(conversationId: string): void {
    this.#io.to(`${conversationId}/pub`).emit('snapshot', this.log.snapshot(conversationId))
  }

  async close(): Promise<void> {
    await this.#io.close()
    this.#http.closeAllConnections()
    this.#released()
  }

  #serve(socket: Peer): void {
    const operator = tokenOf(socket) === OPERATOR_TOKEN
    socket.on('conversation:open', (request, ack) => {
      if (request.ops === true && !operator) return ack(refusal('FORBIDDEN'))
      const conversationId = request.conversationId ?? this.log.open()
      if (!this.log.has(conversationId)) return ack(refusal('NOT_FOUND'))
      const known = request.after !== undefined && this.log.knows(request.after)
      const snapshot: Snapshot | null = known ? null : this.log.snapshot(conversationId)
      const missed = this.log.after(conversationId, known ? request.after! : snapshot!.cursor)
      const seen = (entry: LogEntry): boolean => entry.audience === 'pub' || request.ops === true
      void socket.join(`${conversationId}/pub`)
      if (request.ops === true) void socket.join(`${conversationId}/ops`)
      const answer = (): void => ack({ ok: true, conversationId, snapshot })
      if (this.faults.ackLast !== true) answer()
      if (missed.length > 0) socket.emit('log', missed.filter(seen))
      this.faults.onOpen?.(conversationId)
      if (this.faults.ackLast === true) answer()
    })
    socket.on('conversation:close', ({ conversationId }, ack) => {
      void socket.leave(`${conversationId}/pub`)
      void socket.leave(`${conversationId}/ops`)
      ack({ ok: true })
    })
    socket.on('message:send', (request, ack) => this.#receive(request, ack))
    socket.on('run:stop', ({ conversationId, turnId }, ack) => {
      this.stops.push({ conversationId, turnId })
      ack({ ok: true, turnId: turnId ?? null, status: 'stopping' })
      if (turnId !== undefined) this.faults.onStop?.(conversationId, turnId)
    })
    socket.on('swarm:watch', ({ after }, ack) => {
      if (!operator) return ack(refusal('FORBIDDEN'))
      void socket.join('swarm')
      ack({ ok: true, cursor: after ?? this.log.head })
      if (after !== undefined) socket.emit('swarm', this.log.after(null, after))
    })
    socket.on('review:list', (_, ack) => {
      if (!operator) return ack(refusal('FORBIDDEN'))
      ack({ ok: true, reviews: this.reviews.filter((item) => item.state === 'open'), next: null })
    })
    socket.on('review:decide', (request, ack) => this.#decide(request, ack))
    socket.on('swarm:unwatch', (_, ack) => {
      void socket.leave('swarm')
      ack({ ok: true })
    })
  }

  /** As the desk does, for one operator. */
  #decide(
    { itemId, argsHash, decision }: Parameters<ClientToServer['review:decide']>[0],
    ack: Parameters<ClientToServer['review:decide']>[1],
  ): void {
    const index = this.reviews.findIndex((item) => item.id === itemId)
    const item = this.reviews[index]
    if (item === undefined) return ack(refusal('NOT_FOUND'))
    if (item.state !== 'open') return ack(refusal('REVIEW_DECIDED'))
    if (item.argsHash !== argsHash) return ack(refusal('REVIEW_CHANGED'))
    const made = Decision.parse(decision)
    const state = { approve: 'approved', edit: 'edited', reject: 'rejected', answer: 'answered' } as const
    const decided: ReviewItem = {
      ...item,
      state: state[made.action],
      decision: { decision: made, by: 'operator', at: 1 },
      revision: item.revision + 1,
    }
    this.reviews[index] = decided
    ack({ ok: true, item: decided })
    this.say(item.conversationId, 'review:changed', decided)
  }

  #receive(
    request: { conversationId: string; id: string; text: string; agent?: string | undefined },
    ack: Parameters<ClientToServer['message:send']>[1],
  ): void {
    const message = { ...request, agent: request.agent }
    const attempt = (this.#attempts.get(request.id) ?? 0) + 1
    this.#attempts.set(request.id, attempt)
    this.received.push(message)
    const fault = this.faults.onSend?.(message, attempt)
    if (fault === 'refuse') return ack(refusal('BUSY'))
    const stored = this.log.stored(request.conversationId, request.id)
    const fact = stored ?? this.#store(request.conversationId, request.id, request.text)
    if (fault === 'lose the ack') return
    if (fault !== undefined) return ack(fault as Ack<{ messageId: string; turnId: string; status: 'accepted' }>)
    ack({ ok: true, messageId: fact.id, turnId: turnIdOf(fact), status: 'accepted' })
  }

  #store(conversationId: string, clientId: string, text: string): MessageFact {
    const fact = this.fact({ clientId, role: 'user', author: 'ann', text, parentId: null })
    this.say(conversationId, 'message:received', fact)
    void this.brain(this, fact, conversationId)
    return fact
  }

  fact(change: Partial<MessageFact>): MessageFact {
    return {
      id: this.log.newId('m'),
      clientId: '',
      parentId: null,
      role: 'assistant',
      author: 'general',
      text: '',
      citations: [],
      extractive: false,
      data: null,
      revision: 1,
      at: Date.now(),
      ...change,
    }
  }
}

function tokenOf(socket: Peer): string | undefined {
  const { token, apiKey } = socket.handshake.auth as { token?: string; apiKey?: string }
  return token ?? apiKey
}

export function turnIdOf(question: MessageFact): string {
  return `t-${question.id}`
}

function coded(code: ErrorCode): ClientError {
  const { message, action } = CATALOGUE[code]
  return { code, message, action, details: {} }
}

export function refusal(code: ErrorCode, details: Record<string, unknown> = {}): { ok: false; error: ClientError } {
  return { ok: false, error: { ...coded(code), details } }
}
