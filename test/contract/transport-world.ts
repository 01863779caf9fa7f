import type { Transport } from '#shared/transport/port.ts'

/** What the contract suite needs of an adapter under test: one broker, any number of named connections to it. */
export interface TransportWorld {
  connect(name: string): Promise<Transport>
  /** Cuts the connections of that name; `heal` lets them come back. */
  partition(name: string): Promise<void>
  heal(name: string): Promise<void>
  /** What handlers threw so far. */
  readonly handlerErrors: readonly Error[]
  /** Closes every connection, and the broker. */
  close(): Promise<void>
}

export type StartWorld = () => Promise<TransportWorld>

/** Gathers what handlers see; a test waits for what it expects instead of for time. */
export class Seen<T> {
  readonly all: T[] = []
  readonly #waiting: { ready: () => boolean; resolve: () => void }[] = []

  readonly add = (item: T): void => {
    this.all.push(item)
    for (const waiting of this.#waiting) if (waiting.ready()) waiting.resolve()
  }

  /** Resolves once `count` have come. */
  async count(count: number): Promise<readonly T[]> {
    await this.until(() => this.all.length >= count)
    return this.all
  }

  async until(ready: () => boolean): Promise<void> {
    if (ready()) return
    await new Promise<void>((resolve) => this.#waiting.push({ ready, resolve }))
  }
}

let names = 0
/** A token no other test of this process uses: brokers are shared by the tests of a suite. */
export function unique(stem: string): string {
  return `${stem}${++names}x${process.pid}`
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data)
}

/** Asks again until the answer is true, for what a broker does in its own time. The test's deadline ends it. */
export async function eventually(ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask())) await new Promise((resolve) => setImmediate(resolve))
}
