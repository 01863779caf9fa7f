/** A promise with its handles outside, and whether it was settled. */
export class Deferred<T> {
  readonly promise: Promise<T>
  settled = false
  #resolve!: (value: T | PromiseLike<T>) => void
  #reject!: (reason: Error) => void

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  resolve(value: T): void {
    this.settled = true
    this.#resolve(value)
  }

  reject(reason: Error): void {
    this.settled = true
    this.#reject(reason)
  }
}
