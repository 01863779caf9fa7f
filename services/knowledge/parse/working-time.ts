/**
 * The time a document may take: so much between two signs of progress, and so much in all. Runs only while the parsing
 * process works, not while it waits for us.
 */
export class WorkingTime {
  readonly #stepMs: number
  readonly #onOver: (reason: string) => void
  #leftMs: number
  #begun = 0
  #timer: NodeJS.Timeout | undefined

  constructor(stepMs: number, totalMs: number, onOver: (reason: string) => void) {
    this.#stepMs = stepMs
    this.#leftMs = totalMs
    this.#onOver = onOver
  }

  /** Begins, or begins the next step. */
  run(): void {
    this.pause()
    this.#begun = performance.now()
    const whole = this.#leftMs <= this.#stepMs
    const reason = whole ? 'The document took too long.' : `A page took more than ${this.#stepMs} ms.`
    this.#timer = setTimeout(() => this.#onOver(reason), Math.max(0, Math.min(this.#leftMs, this.#stepMs)))
  }

  pause(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#leftMs -= performance.now() - this.#begun
  }
}
