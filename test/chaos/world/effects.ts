import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export const TOOLS = ['idempotent', 'keyed', 'plain'] as const
export type ToolName = (typeof TOOLS)[number]

/** Effects of one tool call, as the outside saw them. */
export interface Effect {
  readonly tool: ToolName
  count: number
  /** Idempotency keys it came with. */
  readonly keys: Set<string>
}

const LEAST_MS = 20
const SPREAD_MS = 60
const KEY_HEADER = 'idempotency-key'

/**
 * The service behind the tools: outside of the product and never hit, so that what truly happened is known. A question
 * leads to one call whose argument `of` is its text; the effect happens before the answer, so an answer that is lost
 * leaves it in doubt.
 */
export class Effects {
  readonly seen = new Map<string, Effect>()
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(random: () => number): Promise<Effects> {
    const server = createServer()
    const effects = new Effects(server)
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { of } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { of: string }
        const tool = request.url!.slice(1) as ToolName
        const known = effects.seen.get(of) ?? { tool, count: 0, keys: new Set() }
        effects.seen.set(of, known)
        known.count++
        const key = request.headers[KEY_HEADER]
        if (typeof key === 'string') known.keys.add(key)
        void delay(LEAST_MS + random() * SPREAD_MS).then(() => {
          response.setHeader('content-type', 'application/json')
          response.end(JSON.stringify({ of, done: true }))
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return effects
  }

  /** host:port */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
