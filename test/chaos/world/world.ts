import { generateKeyPairSync } from 'node:crypto'
import { startPostgres } from '#deploy/provision/postgres.ts'
import type { PostgresServer } from '#deploy/provision/postgres.ts'
import { signToken } from '#gateway/auth/tokens.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import { openDatabase } from '#shared/db/database.ts'
import type { Database } from '#shared/db/database.ts'
import { connectNats } from '#shared/nats/connect-nats.ts'
import type { Transport } from '#shared/transport/port.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { testDatabase } from '#test/kit/database.ts'
import { startNats } from '#test/kit/nats-server.ts'
import type { TestNats } from '#test/kit/nats-server.ts'
import type { Run } from '../scenario.ts'
import { Effects } from './effects.ts'
import { NatsCluster } from './nats-cluster.ts'
import { Peer } from './peer.ts'
import type { Role } from './peer.ts'
import { TENANT, seedTenant } from './seed.ts'

export interface WorldOptions {
  /** Servers of a cluster; one server by itself otherwise. */
  readonly cluster?: number
  /** In place of a JetStream with a store of its own and no bounds: lines of the server's configuration. */
  readonly jetstream?: string
  /** A PostgreSQL server for this scenario alone, with these more lines of configuration. */
  readonly ownPostgres?: string
  /** Processes reach the broker by this address; by the server's own otherwise. */
  readonly through?: (natsUrl: string) => Promise<{ readonly url: string; readonly close: () => Promise<void> }>
}

export type WorldRun = Pick<Run, 'seed' | 'random' | 'leaseMs' | 'nats'>

/** All roles but the edge, in one process. */
export const SERVICES: readonly Role[] = ['supervisor', 'agents', 'guardrails', 'tools', 'desk', 'directory']

const NAMES = { issuer: 'waggle', audience: 'waggle', tenantClaim: 'tenant' }
const TOKEN_S = 7_200
const CONNECTIONS = '6'
const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

/**
 * Broker, database and processes of one scenario, and what stands outside of them and is never hit: the effects behind
 * the tools, a node that speaks to the actors, and connections by which the checks read log and database.
 */
export class World {
  readonly run: WorldRun
  readonly peers: Peer[] = []
  readonly #closing: (() => Promise<unknown>)[] = []
  nats!: TestNats
  cluster: NatsCluster | null = null
  postgres: PostgresServer | null = null
  databaseUrl = ''
  database!: Database
  transport!: Transport
  effects!: Effects
  /** A node without actors, for asking and telling. */
  outside!: ActorSystem
  #peerNatsUrl = ''

  private constructor(run: WorldRun) {
    this.run = run
  }

  static async open(run: WorldRun, options: WorldOptions = {}): Promise<World> {
    const world = new World(run)
    try {
      await world.#open(options)
      return world
    } catch (error) {
      await world.close()
      throw error
    }
  }

  get natsUrl(): string {
    return this.cluster?.url ?? this.nats.url
  }

  peer(name: string, roles: readonly Role[], env: NodeJS.ProcessEnv = {}): Peer {
    const peer = new Peer({ name, roles, env: { ...this.#env(), ...env } })
    this.peers.push(peer)
    return peer
  }

  async started(name: string, roles: readonly Role[], env: NodeJS.ProcessEnv = {}): Promise<Peer> {
    const peer = this.peer(name, roles, env)
    await peer.start()
    return peer
  }

  token(user: string, roles: readonly string[] = ['customer']): Promise<string> {
    return signToken(keys.privateKey, { tenant: TENANT, user, roles }, { ...NAMES, lifetimeS: TOKEN_S })
  }

  /** Closed with the world, before what was opened earlier. */
  closeLater(close: () => Promise<unknown>): void {
    this.#closing.push(close)
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.thaw()
    await Promise.all(this.peers.map((peer) => peer.leave()))
    for (const close of this.#closing.toReversed()) await close()
    this.#closing.length = 0
  }

  async #open(options: WorldOptions): Promise<void> {
    const { random, leaseMs, nats: version } = this.run
    this.effects = await Effects.open(random)
    this.closeLater(() => this.effects.close())
    if (options.cluster !== undefined) {
      this.cluster = await NatsCluster.start(options.cluster)
      this.nats = this.cluster.servers[0]!
      this.closeLater(() => this.cluster!.stop())
    } else {
      const bounded = options.jetstream === undefined ? {} : { jetstream: false, config: options.jetstream }
      this.nats = await startNats({ version, ...bounded })
      this.closeLater(() => this.nats.stop())
    }
    await this.#openDatabase(options.ownPostgres)
    await seedTenant(this.database, this.effects.address)
    this.transport = await connectNats({
      url: this.natsUrl,
      name: 'outside',
      replicas: options.cluster ?? 1,
      onError: () => {},
    })
    this.closeLater(() => this.transport.close())
    this.outside = new ActorSystem({
      transport: this.transport,
      node: 'outside',
      limits: { leaseMs },
      streams: { replicas: options.cluster ?? 1 },
    })
    await this.outside.start()
    this.closeLater(() => this.outside.stop())
    this.#peerNatsUrl = this.natsUrl
    if (options.through !== undefined) {
      const { url, close } = await options.through(this.natsUrl)
      this.#peerNatsUrl = url
      this.closeLater(close)
    }
  }

  async #openDatabase(own: string | undefined): Promise<void> {
    if (own === undefined) {
      const given = await testDatabase()
      this.databaseUrl = given.url
      this.closeLater(() => given.drop())
    } else {
      const started = await startPostgres({ under: process.env['WAGGLE_TEST_TMP']!, config: own })
      if ('problem' in started) throw new Error(started.problem)
      this.postgres = started.server
      this.databaseUrl = started.server.url
      this.closeLater(() => started.server.stop())
    }
    this.database = await openDatabase({
      url: this.databaseUrl,
      poolSize: 2,
      leaseMs: this.run.leaseMs,
      name: 'checks',
    })
    this.closeLater(() => this.database.close())
  }

  #env(): NodeJS.ProcessEnv {
    const { leaseMs } = this.run
    return {
      PATH: process.env['PATH'],
      NATS_URL: this.#peerNatsUrl,
      NATS_REPLICAS: String(this.cluster?.servers.length ?? 1),
      DATABASE_URL: this.databaseUrl,
      DATABASE_POOL: CONNECTIONS,
      DATABASE_STATEMENT: `${Math.floor(leaseMs / 2) - 100}ms`,
      LEASE: `${leaseMs}ms`,
      DRAIN: `${leaseMs}ms`,
      WAGGLE_SECRET: 'a secret of the chaos run',
      TOOLS_ALLOW: this.effects.address,
      JWT_PUBLIC_KEY: keys.publicKey,
      PORT: '0',
      RATE_PER_SECOND: '10000',
      RATE_BURST: '100000',
      LOG_LEVEL: process.env['CHAOS_LOG'] ?? 'silent',
    }
  }
}

export function principalOf(user: string, roles: readonly string[] = ['customer']): Principal {
  return { tenant: TENANT, user, roles, scopes: [], credential: '' }
}
