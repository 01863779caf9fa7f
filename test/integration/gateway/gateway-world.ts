import { generateKeyPairSync } from 'node:crypto'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { startGateway } from '#gateway/main.ts'
import type { Gateway } from '#gateway/main.ts'
import { signToken } from '#gateway/auth/tokens.ts'
import { actor, poolActor } from '#shared/actor/definition.ts'
import type { Definition } from '#shared/actor/definition.ts'
import { EVENTS } from '#shared/actor/streams.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import { MemoryDatabase } from '#shared/actor/testkit/memory-store.ts'
import { readConfig } from '#shared/config/config.ts'
import type { Ack, ClientToServer, ServerToClient, Snapshot } from '#shared/contracts/client.ts'
import { Directory } from '#shared/contracts/directory.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { Log } from '#shared/contracts/log.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { newId } from '#shared/lib/ids.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import { connectNats } from '#shared/nats/connect-nats.ts'
import { Metrics } from '#shared/telemetry/metrics.ts'
import { memoryBroker } from '#shared/transport/memory.ts'
import type { MemoryBroker } from '#shared/transport/memory.ts'
import type { Transport } from '#shared/transport/port.ts'
import type { Address, Principal } from '#shared/wire/envelope.ts'
import { decodeEvent, encodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { encodeName } from '#shared/wire/names.ts'
import { eventSubject, filters, parseSubject } from '#shared/wire/subjects.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { hold } from '#test/kit/leaks.ts'
import { startNats } from '#test/kit/nats-server.ts'
import type { TestNats } from '#test/kit/nats-server.ts'

export const TENANT = 'acme'
export const API_KEY = `wag_${'k'.repeat(32)}`
export type Client = Socket<ServerToClient, ClientToServer>

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const NAMES = { issuer: 'waggle', audience: 'waggle', tenantClaim: 'tenant' }

export interface WorldOptions {
  readonly broker?: 'memory' | 'oldest' | 'newest'
  readonly env?: Readonly<Record<string, string>>
  readonly clock?: Clock
}

export interface TestGateway extends Gateway {
  readonly metrics: Metrics
}

/**
 * Gateways as they are, on a broker in memory or a real one, before a swarm of which only the supervisor and the
 * directory are stand-ins: they keep conversations in the runtime's own state. What is said in a conversation beside
 * messages, a test says itself.
 */
export class GatewayWorld {
  readonly clock: Clock
  readonly gateways: TestGateway[] = []
  node!: ActorSystem
  /** The same numbers of one principal; what the directory says of keys and conversations. */
  readonly owners = new Map<string, string>()
  readonly asked: string[] = []
  readonly #options: WorldOptions
  readonly #release = hold('world', 'gateway world')
  readonly #transports: Transport[] = []
  readonly #systems: ActorSystem[] = []
  readonly #clients: Client[] = []
  readonly #database = new MemoryDatabase({ clock: systemClock })
  #broker: MemoryBroker | null = null
  #nats: TestNats | null = null
  #writer!: Transport

  constructor(options: WorldOptions = {}) {
    this.#options = options
    this.clock = options.clock ?? systemClock
  }

  static async open(options: WorldOptions = {}): Promise<GatewayWorld> {
    const world = new GatewayWorld(options)
    const { broker = 'memory' } = options
    if (broker === 'memory') world.#broker = memoryBroker({ clock: systemClock })
    else world.#nats = await startNats({ version: broker })
    world.#writer = await world.connect('writer')
    world.node = new ActorSystem({
      transport: await world.connect('node'),
      store: this.#store(world),
      node: 'node',
      streams: { memory: true },
    }).host(...world.#definitions())
    await world.node.start()
    await world.node.placed()
    world.#systems.push(world.node)
    return world
  }

  static #store(world: GatewayWorld): ReturnType<MemoryDatabase['connect']> {
    return world.#database.connect('node')
  }

  async connect(name: string): Promise<Transport> {
    const transport = this.#broker
      ? this.#broker.connect(name)
      : await connectNats({ url: this.#nats!.url, name, onError: () => {} })
    this.#transports.push(transport)
    return transport
  }

  async gateway(name = `g${this.gateways.length + 1}`): Promise<TestGateway> {
    const config = readConfig({
      PORT: '0',
      JWT_PUBLIC_KEY: keys.publicKey,
      WAGGLE_SECRET: 'a secret of more than sixteen characters',
      CORS_ORIGINS: 'https://shop.example',
      RATE_SOCKET_PER_SECOND: '1000',
      RATE_SOCKET_BURST: '10000',
      RATE_PER_SECOND: '1000',
      RATE_BURST: '10000',
      ...this.#options.env,
    })
    const transport = await this.connect(name)
    const system = new ActorSystem({ transport, node: name, streams: { memory: true } })
    await system.start()
    this.#systems.push(system)
    const metrics = new Metrics(name)
    const swarm = { config, role: 'gateway', log: silentLogger, metrics, transport, system }
    const gateway = { ...(await startGateway(swarm, this.clock)), metrics }
    this.gateways.push(gateway)
    return gateway
  }

  token(user = 'ann', roles: readonly string[] = [], lifetimeS = 600, tenant = TENANT): Promise<string> {
    return signToken(keys.privateKey, { tenant, user, roles }, { ...NAMES, lifetimeS })
  }

  /** A connected socket; rejects with what the gateway refused it with. */
  async client(gateway: Gateway, auth: Readonly<Record<string, unknown>>): Promise<Client> {
    const socket: Client = io(gateway.url, { transports: ['websocket'], auth, forceNew: true, reconnection: false })
    this.#clients.push(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('connect_error', reject)
    })
    return socket
  }

  async clientOf(gateway: Gateway, user = 'ann', roles: readonly string[] = []): Promise<Client> {
    return await this.client(gateway, { token: await this.token(user, roles) })
  }

  /** A new conversation of somebody, without a socket. */
  async conversation(user = 'ann', id = newId()): Promise<string> {
    await this.node.reach(principalOf(user)).ref(Supervisor, id).confirm('open', { channel: 'test' }, { within: '5s' })
    return id
  }

  /** An entry of the log, as an actor would say it. */
  async say(
    conversation: string,
    type: string,
    payload: unknown,
    more: Partial<LogEvent> & { audience?: Audience } = {},
  ): Promise<number> {
    const {
      audience = 'pub',
      by = `agent/${encodeName(conversation)}--billing` as Address,
      epoch = 1,
      control = 0,
      id = newId(),
    } = more
    const event: LogEvent = { id, type, version: 1, by, epoch, control, at: Date.now(), trace: '', payload }
    const subject = eventSubject(TENANT, encodeName(conversation), audience)
    return (await this.#writer.append(subject, encodeEvent(event), { messageId: id })).sequence
  }

  /** Everything of a conversation that counts, in log order, for these audiences: `<sequence>:<type>`. */
  async truth(conversation: string, audiences: readonly Audience[] = ['pub']): Promise<string[]> {
    const floors = new Floors()
    const found: string[] = []
    for await (const { subject, data, sequence } of this.#writer.read(EVENTS, {
      filters: [filters.eventsOfScope(TENANT, encodeName(conversation))],
      from: 1,
    })) {
      const parsed = parseSubject(subject)
      const event = decodeEvent(data)
      if (parsed.lane !== 'ev' || !floors.admit(event, parsed.audience)) continue
      if (audiences.includes(parsed.audience)) found.push(`${sequence}:${event.type}`)
    }
    return found
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.removeAllListeners().disconnect()
    for (const gateway of this.gateways) await gateway.close()
    for (const system of this.#systems.toReversed()) await system.stop()
    for (const transport of this.#transports) await transport.close()
    this.#broker?.close()
    await this.#nats?.stop()
    this.#release()
  }

  #definitions(): Definition[] {
    const { owners, asked } = this
    return [
      supervisorStandIn(owners),
      poolActor(Log, {
        on: {
          logs: async () => ({ incarnation: this.node.incarnation, own: [...(await this.node.logs.own())] }),
          move: () => {
            throw refuse('FORBIDDEN')
          },
          // No place in the rows: readers then judge by the log itself.
          floors: () => ({ floors: [], pending: true }),
        },
      }),
      poolActor(Directory, {
        on: {
          apiKey: (ctx, { hash }) => {
            asked.push(`key ${ctx.cause.principal?.roles.join()}`)
            if (hash !== API_KEY_HASH) throw refuse('UNAUTHENTICATED')
            return { tenant: TENANT, user: 'robot', roles: ['operator'], scopes: [] }
          },
          tenant: (ctx) => ({
            state: ctx.tenant === 'disabled' ? 'disabled' : ctx.tenant === 'unheard' ? 'unknown' : 'active',
          }),
          conversation: (_ctx, { id }) => {
            asked.push(`conversation ${id}`)
            const user = owners.get(id)
            if (user === undefined) throw refuse('NOT_FOUND')
            return { id, user, channel: 'test', control: 0, owner: '', createdAt: 0, updatedAt: 0 }
          },
          conversations: (_ctx, { limit }) => ({
            conversations: Array.from(owners, ([id, user]) => ({
              id,
              user,
              channel: 'test',
              control: 0,
              owner: '',
              createdAt: 0,
              updatedAt: 0,
            })).slice(0, limit),
            next: null,
          }),
          agents: () => ({ agents: [] }),
          messages: () => ({ messages: [], next: null }),
          runs: () => ({ runs: [], next: null }),
          run: () => {
            throw refuse('NOT_FOUND')
          },
          reviews: () => ({ reviews: [], next: null }),
          review: () => {
            throw refuse('NOT_FOUND')
          },
          feedback: () => ({ feedback: [], next: null }),
          letters: (ctx) => {
            if (!ctx.cause.principal?.roles.includes('operator')) throw refuse('FORBIDDEN')
            return { letters: [], next: null }
          },
          letter: () => {
            throw refuse('NOT_FOUND')
          },
          checkpoints: () => ({ checkpoints: [{ ...CHECKPOINT, messages: 2 }] }),
          checkpoint: (_ctx, { checkpointId }) => {
            if (checkpointId !== CHECKPOINT.id) throw refuse('NOT_FOUND', { checkpoint: checkpointId })
            return { ...CHECKPOINT, messages: [{ role: 'human', text: 'hello', calls: [] }] }
          },
          replay: () => {
            throw refuse('CONFLICT')
          },
          replayAll: () => ({ replayed: [], failed: [], left: false }),
          discard: () => ({}),
          discardAll: () => ({ discarded: 0, left: false }),
          purge: () => ({ purged: 0, left: false }),
        },
      }),
    ]
  }
}

const API_KEY_HASH = await hashOf(API_KEY)

async function hashOf(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex')
}

export function principalOf(user: string, roles: readonly string[] = [], tenant = TENANT): Principal {
  return { tenant, user, roles, scopes: [], credential: '' }
}

/** Emits and waits for the acknowledgement; a refusal is the value, not an error. */
export function ask<Name extends keyof ClientToServer>(
  client: Client,
  name: Name,
  request: Parameters<ClientToServer[Name]>[0],
): Promise<Ack<Record<string, never>> & { readonly [key: string]: unknown }> {
  return (client as Socket).timeout(15_000).emitWithAck(name, request) as never
}

/** The same, for an answer that must be good. */
export async function good<Value>(
  answer: Promise<Ack<Record<string, never>> & { readonly [key: string]: unknown }>,
): Promise<Value> {
  const said = await answer
  if (!said.ok) throw new Error(`refused: ${JSON.stringify(said.error)}`)
  return said as unknown as Value
}

export interface Opened {
  readonly conversationId: string
  readonly snapshot: Snapshot | null
}

interface State {
  user: string
  messages: MessageFact[]
  turns: { turnId: string; messageId: string }[]
}

const CHECKPOINT = { id: 'k1', parentId: null, at: '2026-11-23T00:00:00Z', superstep: 2, steps: 1, answer: '' }

/** Stores messages in the runtime's state and emits what the real one does, as far as the edge can see. */
function supervisorStandIn(owners: Map<string, string>): Definition {
  return actor(Supervisor, {
    state: { version: 1, initial: (): State => ({ user: '', messages: [], turns: [] }) },
    on: {
      open(ctx, { channel }) {
        const user = ctx.cause.principal?.user ?? ''
        if (ctx.state.user !== '' && ctx.state.user !== user) throw refuse('FORBIDDEN')
        if (ctx.state.user !== '') return
        ctx.state.user = user
        owners.set(ctx.key[0]!, user)
        ctx.emit('conversation:opened', { user, channel }, { audience: 'pub' })
      },
      send(ctx, { clientId, text, agent }) {
        const known = ctx.state.messages.find((message) => message.clientId === clientId)
        if (known !== undefined && known.text !== text) throw refuse('ID_REUSED', { id: clientId })
        if (known !== undefined) return { messageId: known.id, turnId: `t-${known.id}`, status: 'accepted' }
        const message = factOf(ctx.newId(), clientId, null, 'user', ctx.cause.principal?.user ?? '', text, ctx.now)
        const turnId = `t-${message.id}`
        ctx.state.messages.push(message)
        ctx.emit('message:received', message, { audience: 'pub' })
        ctx.emit('turn:started', { turnId, messageId: message.id }, { audience: 'pub' })
        ctx.emit('route:decided', { turnId, agent, reason: 'asked for', ms: 0 }, { audience: 'ops' })
        if (text.startsWith('wait')) ctx.state.turns.push({ turnId, messageId: message.id })
        else {
          const answer = factOf(
            ctx.newId(),
            '',
            message.id,
            'assistant',
            agent ?? 'billing',
            `You said: ${text}`,
            ctx.now,
          )
          ctx.state.messages.push(answer)
          ctx.emit('message:completed', answer, { audience: 'pub' })
          ctx.emit('turn:ended', { turnId, outcome: 'answered', error: null, report: null, ms: 1 }, { audience: 'pub' })
        }
        return { messageId: message.id, turnId, status: 'accepted' }
      },
      stop(ctx, { turnId }) {
        if (ctx.cause.principal?.user !== ctx.state.user) throw refuse('FORBIDDEN')
        const turn = ctx.state.turns.find((one) => turnId === null || one.turnId === turnId)
        if (turn === undefined) return { turnId: null, status: 'nothing' }
        ctx.state.turns = ctx.state.turns.filter((one) => one !== turn)
        ctx.emit(
          'turn:ended',
          { turnId: turn.turnId, outcome: 'stopped', error: null, report: null, ms: 1 },
          { audience: 'pub' },
        )
        return { turnId: turn.turnId, status: 'stopping' }
      },
      raise: () => ({ status: 'resumed' }),
      retry() {},
      finished() {},
      parked() {},
      control: () => {
        throw refuse('NO_OFFER')
      },
      reply: () => {
        throw refuse('STALE_CONTROL')
      },
      note: () => {
        throw refuse('FORBIDDEN')
      },
      assign: () => {
        throw refuse('FORBIDDEN')
      },
      read() {},
      brief() {},
      whispered() {},
      seat() {},
      asked() {},
      decided() {},
      unheard() {},
      fork: (_ctx, { runId }) => ({ messageId: runId, turnId: `t-${runId}`, status: 'accepted' }),
      regenerate(ctx, { messageId }) {
        const turnId = `t-${messageId}-again`
        ctx.emit('turn:started', { turnId, messageId, after: null, joined: [] }, { audience: 'pub' })
        return { messageId, turnId, status: 'accepted' }
      },
      select(ctx, { messageId }) {
        const branch = { leafId: messageId, path: [messageId], withdrawn: [], reason: 'select' }
        ctx.emit('branch:changed', branch, { audience: 'pub' })
        return { leafId: messageId }
      },
      snapshot(ctx) {
        const principal = ctx.cause.principal
        if (ctx.state.user === '') throw refuse('NOT_FOUND')
        if (principal?.user !== ctx.state.user && !principal?.roles.includes('operator')) throw refuse('FORBIDDEN')
        return {
          conversationId: ctx.key[0]!,
          messages: [...ctx.state.messages],
          turns: ctx.state.turns.map((turn) => ({ ...turn, agent: null, runId: null, answerId: null })),
          control: { owner: '', mode: 'auto', control: 0 },
          staff: null,
        }
      },
    },
  })
}

function factOf(
  id: string,
  clientId: string,
  parentId: string | null,
  role: MessageFact['role'],
  author: string,
  text: string,
  at: number,
): MessageFact {
  return { id, clientId, parentId, role, author, text, citations: [], extractive: false, data: null, revision: 1, at }
}
