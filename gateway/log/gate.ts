/** At most `width` at the same time; the others wait in line. */
export class Gate {
  readonly #width: number
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(width: number) {
    this.#width = width
  }

  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#inside >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#inside++
    try {
      return await work()
    } finally {
      // The place is handed over, so that nobody who comes now overtakes the line.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#inside--
    }
  }
}
