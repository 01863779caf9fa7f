import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

const STEP_MS = 50

/** A connection whose far end reads slowly, or not at all; towards the server it is as quick as any. */
export class NarrowPipe {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #target: number
  /** Infinity: as it comes. 0: nothing at all. */
  bytesPerSecond = Infinity

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
  }

  static async listen(targetUrl: string): Promise<NarrowPipe> {
    const server = createServer()
    const pipe = new NarrowPipe(server, Number(new URL(targetUrl).port))
    server.on('connection', (client: Socket) => pipe.#relay(client))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return pipe
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #relay(client: Socket): void {
    const gateway = createConnection(this.#target, '127.0.0.1')
    // What is not read here fills the buffers of the kernel, then those of the gateway.
    const timer = setInterval(() => {
      if (this.bytesPerSecond === 0) return
      const allowed = (this.bytesPerSecond * STEP_MS) / 1_000
      for (let sent = 0; sent < allowed;) {
        const wanted = Math.min(allowed - sent, gateway.readableLength)
        const chunk = wanted < 1 ? null : (gateway.read(Math.floor(wanted)) as Buffer | null)
        if (chunk === null) break
        client.write(chunk)
        sent += chunk.length
      }
    }, STEP_MS)
    this.#timers.add(timer)
    gateway.pause()
    gateway.on('readable', () => {
      if (this.bytesPerSecond !== Infinity) return
      for (let chunk = gateway.read() as Buffer | null; chunk !== null; chunk = gateway.read() as Buffer | null)
        client.write(chunk)
    })
    client.pipe(gateway)
    const end = (): void => {
      clearInterval(timer)
      this.#timers.delete(timer)
      for (const socket of [client, gateway]) {
        this.#sockets.delete(socket)
        socket.destroy()
      }
    }
    for (const socket of [client, gateway]) {
      this.#sockets.add(socket)
      socket.on('error', end).on('close', end)
    }
  }
}
