/** One wait at a time that can be ended early, so that nobody who closes leaves a timer behind. */
export class Pause {
  #end: (() => void) | null = null

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#end = null
        resolve()
      }
      const timer = setTimeout(end, ms)
      this.#end = end
    })
  }

  end(): void {
    this.#end?.()
  }
}
