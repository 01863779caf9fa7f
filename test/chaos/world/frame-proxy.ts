import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { FrameReader } from './frames.ts'
import type { Frame } from './frames.ts'

/** What becomes of one frame: a copy after each of these many milliseconds; none drops it. */
export type Fate = readonly Copy[]
export interface Copy {
  readonly afterMs: number
  /** Must not overtake earlier frames of the same line; without one it may overtake anything. */
  readonly line: string | null
  /** In place of the frame's own bytes. */
  readonly bytes?: Buffer
}

export interface Tamper {
  readonly toClient: (frame: Frame) => Fate
  readonly toServer: (frame: Frame) => Fate
}

/** Between processes and a real broker: reads the protocol, and duplicates, delays, reorders or drops what it is told to. */
export class FrameProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #tamper: Tamper
  /** Off: everything goes through untouched. */
  active = true

  private constructor(server: Server, tamper: Tamper) {
    this.#server = server
    this.#tamper = tamper
  }

  static async listen(target: string, tamper: Tamper): Promise<FrameProxy> {
    const { hostname, port } = new URL(target)
    const server = createServer()
    const proxy = new FrameProxy(server, tamper)
    server.on('connection', (client: Socket) => proxy.#relay(client, createConnection(Number(port), hostname)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #relay(client: Socket, broker: Socket): void {
    this.#pipe(broker, client, (frame) => this.#tamper.toClient(frame))
    this.#pipe(client, broker, (frame) => this.#tamper.toServer(frame))
    const end = (): void => {
      for (const socket of [client, broker]) {
        this.#sockets.delete(socket)
        socket.destroy()
      }
    }
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', end).on('close', end)
    }
  }

  #pipe(from: Socket, to: Socket, fateOf: (frame: Frame) => Fate): void {
    const reader = new FrameReader()
    const lines = new Map<string, Late[]>()
    const write = (bytes: Buffer): void => {
      if (!to.destroyed) to.write(bytes)
    }
    const drain = (line: string): void => {
      const late = lines.get(line)!
      while (late.length > 0 && late[0]!.due <= performance.now()) write(late.shift()!.bytes)
      if (late.length === 0) lines.delete(line)
      else this.#later(late[0]!.due - performance.now(), () => drain(line))
    }
    from.on('data', (chunk: Buffer) => {
      for (const frame of reader.read(chunk)) {
        const fate = this.active ? fateOf(frame) : UNTOUCHED
        for (const { afterMs, line, bytes = frame.bytes } of fate) {
          const late = line === null ? undefined : lines.get(line)
          if (late !== undefined) late.push({ due: performance.now() + afterMs, bytes })
          else if (afterMs === 0) write(bytes)
          else if (line === null) this.#later(afterMs, () => write(bytes))
          else {
            lines.set(line, [{ due: performance.now() + afterMs, bytes }])
            this.#later(afterMs, () => drain(line))
          }
        }
      }
    })
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, ms)
    this.#timers.add(timer)
  }
}

interface Late {
  readonly due: number
  readonly bytes: Buffer
}

const UNTOUCHED: Fate = [{ afterMs: 0, line: null }]
