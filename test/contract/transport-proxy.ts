import { createConnection, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A TCP relay in front of a real broker, so that one connection can be cut while others stand. */
export class CutProxy {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #open = true

  private constructor(server: Server) {
    this.#server = server
  }

  static async listen(target: string): Promise<CutProxy> {
    const { hostname, port } = new URL(target)
    const server = createServer()
    const proxy = new CutProxy(server)
    server.on('connection', (client: Socket) => {
      if (!proxy.#open) {
        client.destroy()
        return
      }
      proxy.#relay(client, createConnection(Number(port), hostname))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  cut(): void {
    this.#open = false
    for (const [client, broker] of this.#pairs) {
      client.destroy()
      broker.destroy()
    }
  }

  heal(): void {
    this.#open = true
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #relay(client: Socket, broker: Socket): void {
    const pair = [client, broker] as const
    this.#pairs.add(pair)
    client.setNoDelay(true)
    broker.setNoDelay(true)
    client.pipe(broker)
    broker.pipe(client)
    const end = (): void => {
      this.#pairs.delete(pair)
      client.destroy()
      broker.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
  }
}
