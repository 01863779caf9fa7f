import type { Cancel, Clock } from '#shared/lib/clock.ts'

/**
 * Virtual time: nothing happens until a test runs it. `run` takes the next timer, lets everything that follows from it
 * happen (promises included), then takes the next one; so a minute of back-offs takes no time and every order of events
 * is decided by the due times and, among equals, by the order of arming.
 */
export class SimClock implements Clock {
  #now: number
  #count = 0
  readonly #timers: Timer[] = []

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start
  }

  now(): number {
    return Math.floor(this.#now)
  }
  elapsed(): number {
    return this.#now
  }
  /** Timers that are armed. */
  get armed(): number {
    return this.#timers.length
  }

  setTimeout(fn: () => void, ms: number): Cancel {
    return this.#arm(fn, this.#now + Math.max(0, ms))
  }
  immediate(fn: () => void): Cancel {
    return this.#arm(fn, this.#now)
  }

  /** Runs all that is due within `ms`, then stands exactly there. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settleMicrotasks()
    while (this.#timers.length > 0 && this.#timers[0]!.due <= until) await this.#step()
    this.#now = until
    await settleMicrotasks()
  }

  /** Runs until the condition holds; false when `withinMs` of virtual time have passed without. */
  async until(condition: () => boolean, withinMs = 600_000): Promise<boolean> {
    const limit = this.#now + withinMs
    await settleMicrotasks()
    while (!condition()) {
      if (this.#timers.length === 0 || this.#timers[0]!.due > limit) return false
      await this.#step()
    }
    return true
  }

  /** The outcome of a promise, with time running while it is pending. */
  async settle<Value>(promise: Promise<Value>, withinMs = 600_000): Promise<Value> {
    let done = false
    const mark = (): void => {
      done = true
    }
    promise.then(mark, mark)
    if (!(await this.until(() => done, withinMs))) throw new Error(`not settled within ${withinMs} ms of virtual time`)
    return await promise
  }

  async #step(): Promise<void> {
    const timer = this.#timers.shift()!
    this.#now = Math.max(this.#now, timer.due)
    timer.fn()
    await settleMicrotasks()
  }

  #arm(fn: () => void, due: number): Cancel {
    const timer: Timer = { due, order: this.#count++, fn }
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#timers[middle]!.due <= due) low = middle + 1
      else high = middle
    }
    this.#timers.splice(low, 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }
}

interface Timer {
  readonly due: number
  readonly order: number
  readonly fn: () => void
}

/**
 * The clock of one node, on the time of all: `pause` is SIGSTOP (nothing that is due happens until `resume`, then all of
 * it does, late), `kill` is for ever. Time itself goes on meanwhile, as it does for a stopped process.
 */
export class NodeClock implements Clock {
  readonly #base: Clock
  #late: (() => void)[] | null = null
  #dead = false
  #armed = 0

  constructor(base: Clock) {
    this.#base = base
  }

  now(): number {
    return this.#base.now()
  }
  elapsed(): number {
    return this.#base.elapsed()
  }
  /** Timers that are armed on this node. */
  get armed(): number {
    return this.#armed
  }

  setTimeout(fn: () => void, ms: number): Cancel {
    return this.#arm(fn, (fire) => this.#base.setTimeout(fire, ms))
  }
  immediate(fn: () => void): Cancel {
    return this.#arm(fn, (fire) => this.#base.immediate(fire))
  }

  pause(): void {
    this.#late ??= []
  }
  resume(): void {
    const late = this.#late ?? []
    this.#late = null
    for (const fire of late) this.#base.immediate(fire)
  }
  kill(): void {
    this.#dead = true
    this.#late = null
  }

  #arm(fn: () => void, on: (fire: () => void) => Cancel): Cancel {
    let live = true
    const end = (): void => {
      if (live) this.#armed--
      live = false
    }
    const fire = (): void => {
      if (!live || this.#dead) return
      if (this.#late !== null) return void this.#late.push(fire)
      end()
      fn()
    }
    this.#armed++
    const cancel = on(fire)
    return () => {
      end()
      cancel()
    }
  }
}

/** The check phase of the event loop comes after every microtask that is possible without the outside world. */
function settleMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
