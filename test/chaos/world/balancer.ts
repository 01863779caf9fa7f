import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** What stands in front of several gateways: each connection goes to the next backend that takes it. */
export class Balancer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #ports: readonly number[] = []
  #next = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async listen(): Promise<Balancer> {
    const server = createServer()
    const balancer = new Balancer(server)
    server.on('connection', (client: Socket) => balancer.#relay(client))
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve))
    return balancer
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Connections that stand stay where they are. */
  route(urls: readonly string[]): void {
    this.#ports = urls.map((url) => Number(new URL(url).port))
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #relay(client: Socket): void {
    const port = this.#ports[this.#next++ % Math.max(1, this.#ports.length)]
    if (port === undefined) {
      client.destroy()
      return
    }
    const backend = createConnection(port, '127.0.0.1')
    const end = (): void => {
      for (const socket of [client, backend]) {
        this.#sockets.delete(socket)
        socket.destroy()
      }
    }
    for (const socket of [client, backend]) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', end).on('close', end)
    }
    client.pipe(backend)
    backend.pipe(client)
  }
}
