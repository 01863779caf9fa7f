import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SitePage {
  readonly status?: number
  readonly type?: string
  readonly body: string
  readonly location?: string
}

interface Waiting {
  readonly path: string
  readonly times: number
  readonly resolve: () => void
}

/** A web site of a test's own: its pages are what the test says, and it can be asked when a page was visited. */
export class Site {
  readonly #server: Server
  readonly #pages = new Map<string, SitePage>()
  readonly #visits = new Map<string, number>()
  #waiting: Waiting[] = []

  static async open(): Promise<Site> {
    const site = new Site()
    await new Promise<void>((listening) => site.#server.listen(0, '127.0.0.1', listening))
    return site
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? ''
      const page = this.#pages.get(path) ?? { status: 404, body: '' }
      response.writeHead(page.status ?? 200, {
        'content-type': page.type ?? 'text/html',
        ...(page.location === undefined ? {} : { location: page.location }),
      })
      response.end(page.body)
      this.#count(path)
    })
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  serve(path: string, page: SitePage): void {
    this.#pages.set(path, page)
  }

  visits(path: string): number {
    return this.#visits.get(path) ?? 0
  }

  /** Resolves at the visit of the page that is its `times`-th since the site was opened; fails when that does not come. */
  async visited(path: string, times: number, withinMs = 20_000): Promise<void> {
    if (this.visits(path) >= times) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = { path, times, resolve }
    this.#waiting.push(waiting)
    const late = setTimeout(
      () => reject(new Error(`${path} was visited ${this.visits(path)} times and not ${times} within ${withinMs} ms`)),
      withinMs,
    )
    try {
      await promise
    } finally {
      clearTimeout(late)
      this.#waiting = this.#waiting.filter((one) => one !== waiting)
    }
  }

  async close(): Promise<void> {
    await new Promise((closed) => this.#server.close(closed))
  }

  #count(path: string): void {
    this.#visits.set(path, this.visits(path) + 1)
    for (const waiting of this.#waiting)
      if (waiting.path === path && this.visits(path) >= waiting.times) waiting.resolve()
  }
}
