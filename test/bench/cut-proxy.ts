import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/**
 * The network between one client and the gateways: each new connection goes to the next of them, whichever is up, and can
 * be cut at any byte. So the client knows one address, and meets another gateway nearly every time.
 */
export class CutProxy {
  readonly #server: Server
  readonly #targets: () => readonly number[]
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #turn = 0
  /** Connections that had carried something when they ended, by us or with their gateway. */
  ended = 0

  private constructor(targets: () => readonly number[]) {
    this.#targets = targets
    this.#server = createServer((client) => this.#carry(client))
  }

  static async open(targets: () => readonly number[]): Promise<CutProxy> {
    const proxy = new CutProxy(targets)
    await new Promise<void>((listening) => proxy.#server.listen(0, '127.0.0.1', listening))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  cut(): void {
    for (const pair of this.#pairs) for (const end of pair) end.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((closed) => this.#server.close(closed))
  }

  #carry(client: Socket): void {
    const ports = this.#targets()
    const gateway = connect(ports[this.#turn++ % ports.length]!, '127.0.0.1')
    const pair = [client, gateway] as const
    this.#pairs.add(pair)
    let carried = false
    gateway.once('data', () => (carried = true))
    for (const [from, to] of [pair, [gateway, client] as const]) {
      from.pipe(to)
      from.on('error', () => from.destroy())
      from.once('close', () => {
        to.destroy()
        if (this.#pairs.delete(pair) && carried) this.ended++
      })
    }
  }
}
