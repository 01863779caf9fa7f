import { WaggleError } from '#shared/errors/waggle-error.ts'

export interface Idle {
  /** Nothing was to do for so long. */
  readonly afterMs: number
  readonly end: () => Promise<void>
}

/**
 * So many at once; who comes later waits in order, until a slot is free, its signal is aborted, or all is closed. Owns the
 * timer that tells when nobody has had one for a while.
 */
export class Slots {
  readonly #size: number
  readonly #idle: Idle
  #timer: NodeJS.Timeout | undefined
  #taken = 0
  #closed = false
  readonly #waiting: { go: () => void; fail: (error: WaggleError) => void }[] = []

  constructor(size: number, idle: Idle) {
    this.#size = size
    this.#idle = idle
  }

  /** Does it with a slot, which is given back at its end. */
  async use<Value>(signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
    await this.#take(signal)
    clearTimeout(this.#timer)
    try {
      return await work()
    } finally {
      this.#give()
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) throw new WaggleError('CANCELLED')
    if (this.#taken < this.#size) this.#taken += 1
    else {
      await new Promise<void>((resolve, reject) => {
        const entry = {
          go: () => {
            signal.removeEventListener('abort', onAbort)
            resolve()
          },
          fail: (error: WaggleError) => {
            signal.removeEventListener('abort', onAbort)
            reject(error)
          },
        }
        const onAbort = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(entry), 1)
          reject(new WaggleError('CANCELLED'))
        }
        signal.addEventListener('abort', onAbort, { once: true })
        this.#waiting.push(entry)
      })
    }
  }

  #give(): void {
    // Handed on: what is taken stays as it is.
    const next = this.#waiting.shift()
    if (next !== undefined) return next.go()
    this.#taken -= 1
    if (this.#taken > 0 || this.#closed) return
    this.#timer = setTimeout(() => void this.#idle.end(), this.#idle.afterMs)
    this.#timer.unref()
  }

  /** Who waits is refused; who has a slot keeps it. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const { fail } of this.#waiting.splice(0)) fail(new WaggleError('CANCELLED'))
  }
}
