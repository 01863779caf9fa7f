import { createServer } from 'node:net'
import { connect } from 'nats'
import type { NatsConnection } from 'nats'
import { startNats } from '#test/kit/nats-server.ts'
import type { TestNats } from '#test/kit/nats-server.ts'
import { eventually } from '../pause.ts'

const READY_MS = 30_000

/** Servers of one cluster, each with a store of its own; any of them can be killed and started again. */
export class NatsCluster {
  readonly servers: readonly TestNats[]

  private constructor(servers: readonly TestNats[]) {
    this.servers = servers
  }

  static async start(size: number): Promise<NatsCluster> {
    const ports = await freePorts(size)
    const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`).join(', ')
    const servers = await Promise.all(
      ports.map((port, index) =>
        startNats({
          config: `server_name: n${index + 1}\ncluster { name: chaos, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
        }),
      ),
    )
    const cluster = new NatsCluster(servers)
    if (!(await eventually(() => cluster.#answers(), READY_MS, 200))) throw new Error('the cluster has no leader')
    return cluster
  }

  get url(): string {
    return this.servers.map(({ url }) => url).join(',')
  }

  /** Index of the server that leads a stream; -1 while there is none, or nobody who could say. */
  leaderOf(stream: string): Promise<number> {
    return this.#ask(`$JS.API.STREAM.INFO.${stream}`, (answer) => {
      const { leader } = (answer as { cluster?: { leader?: string } }).cluster ?? {}
      return leader === undefined || leader === '' ? -1 : Number(leader.slice(1)) - 1
    }).catch(() => -1)
  }

  /** All copies of the stream are there and have what the leader has. */
  inStep(stream: string): Promise<boolean> {
    return this.#ask(`$JS.API.STREAM.INFO.${stream}`, (answer) => {
      const { leader, replicas = [] } =
        (answer as { cluster?: { leader?: string; replicas?: { current: boolean; offline?: boolean }[] } }).cluster ??
        {}
      return (
        leader !== undefined && leader !== '' && replicas.every(({ current, offline }) => current && offline !== true)
      )
    }).catch(() => false)
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  #answers(): Promise<boolean> {
    return this.#ask('$JS.API.INFO', (answer) => !('error' in (answer as object))).catch(() => false)
  }

  async #ask<Value>(subject: string, read: (answer: unknown) => Value): Promise<Value> {
    const connection: NatsConnection = await connect({
      servers: this.servers.map(({ url }) => url),
      maxReconnectAttempts: 1,
    })
    try {
      return read((await connection.request(subject, undefined, { timeout: 2_000 })).json())
    } finally {
      await connection.close()
    }
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address !== null ? address.port : 0)
          }),
        ),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
