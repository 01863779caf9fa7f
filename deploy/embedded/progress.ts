import pc from 'picocolors'

/** One line per part, written when the part is up, with how long it took. */
export class Progress {
  readonly #began = performance.now()

  async part<Value>(
    name: string,
    work: () => Promise<Value>,
    note: (value: Value) => string = () => '',
  ): Promise<Value> {
    const started = performance.now()
    try {
      const value = await work()
      const ms = Math.round(performance.now() - started)
      this.line(`${pc.green('✓')} ${name.padEnd(16)} ${note(value)} ${pc.dim(`${ms} ms`)}`)
      return value
    } catch (error) {
      this.line(`${pc.red('✗')} ${name.padEnd(16)} ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** Seconds since the beginning. */
  get seconds(): string {
    return ((performance.now() - this.#began) / 1_000).toFixed(1)
  }
}
