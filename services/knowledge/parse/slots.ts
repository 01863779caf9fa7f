import { WaggleError } from '#shared/errors/waggle-error.ts'

/** So many at once; who comes later waits in order, until a slot is free, its signal is aborted, or all is closed. */
export class Slots {
  readonly #size: number
  #taken = 0
  #closed = false
  readonly #waiting: { go: () => void; fail: (error: WaggleError) => void }[] = []

  constructor(size: number) {
    this.#size = size
  }

  get taken(): number {
    return this.#taken
  }

  /** Resolves to what gives the slot back; calling that twice is harmless. */
  async take(signal: AbortSignal): Promise<() => void> {
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
    let given = false
    return () => {
      if (given) return
      given = true
      // Handed on: what is taken stays as it is.
      const next = this.#waiting.shift()
      if (next === undefined) this.#taken -= 1
      else next.go()
    }
  }

  /** Who waits is refused; who has a slot keeps it. */
  close(): void {
    this.#closed = true
    for (const { fail } of this.#waiting.splice(0)) fail(new WaggleError('CANCELLED'))
  }
}
