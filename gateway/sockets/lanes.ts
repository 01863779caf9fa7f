/** Work of one key one after another, in the order of asking; of different keys beside each other. */
export class Lanes {
  readonly #last = new Map<string, Promise<unknown>>()

  async run<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#last.get(key) ?? Promise.resolve()
    // What became of the one before is told to whoever asked for it.
    const mine = before.then(work, work)
    this.#last.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
  }
}
