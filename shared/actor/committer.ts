import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import type { HostCore } from './core.ts'
import type { FairQueue } from './fair.ts'
import type { Fence, Step } from './store.ts'

/**
 * Group commit of one tenant in one held partition: while a transaction is under way, the steps of other actors gather
 * and go together in the next one. An actor waits for its own step before it handles another message, so the order
 * within an actor is kept. Transactions of all tenants of a process take turns, by tenant: the database is what they all
 * wait for, and more of them beside each other make each slower and none sooner.
 *
 * - a duplicate takes only its own step out; the others are tried again without it;
 * - STALE_EPOCH fails all: the partition is lost;
 * - DATABASE_DOWN fails all with an unknown outcome: each actor forgets its state and asks what was processed.
 */
export class Committer {
  readonly #core: HostCore
  readonly #fence: Fence
  readonly #turns: FairQueue
  #waiting: Waiting[] = []
  #busy = false

  /** @param turns what the transactions of all tenants of this process go through */
  constructor(core: HostCore, fence: Fence, turns: FairQueue) {
    this.#core = core
    this.#fence = fence
    this.#turns = turns
  }

  get idle(): boolean {
    return !this.#busy && this.#waiting.length === 0
  }

  /** Resolves with false when the step's command had been processed before: nothing of it was applied. */
  commit(step: Step): Promise<boolean> {
    const waiting: Waiting = { step, done: new Deferred<boolean>() }
    this.#waiting.push(waiting)
    if (!this.#busy) void this.#work()
    return waiting.done.promise
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) {
      const done = new Deferred<void>()
      this.#turns.submit(this.#fence.tenant, async () => {
        await this.#transaction()
        done.resolve()
      })
      await done.promise
    }
    this.#busy = false
  }

  async #transaction(): Promise<void> {
    const batch = this.#waiting.splice(0, this.#core.limits.batch)
    const started = this.#core.clock.elapsed()
    try {
      const { duplicates } = await this.#core.store.commit(
        this.#fence,
        batch.map((waiting) => waiting.step),
      )
      if (duplicates.length === 0) {
        this.#core.observe('commit:done', { steps: batch.length, ms: this.#core.clock.elapsed() - started })
        for (const waiting of batch) waiting.done.resolve(true)
      } else {
        this.#sortOut(batch, new Set(duplicates))
      }
    } catch (error) {
      const failure = coded(error)
      if (failure.code === 'INTERNAL' && batch.length > 1) await this.#oneByOne(batch)
      else for (const waiting of batch) waiting.done.reject(failure)
    }
  }

  #sortOut(batch: readonly Waiting[], duplicates: ReadonlySet<string>): void {
    const again: Waiting[] = []
    for (const waiting of batch) {
      if (waiting.step.command !== null && duplicates.has(waiting.step.command.id)) waiting.done.resolve(false)
      else again.push(waiting)
    }
    if (again.length === batch.length) {
      const error = new WaggleError('INTERNAL', { reason: 'The store named duplicates that were not in the batch.' })
      for (const waiting of again) waiting.done.reject(error)
    } else this.#waiting.unshift(...again)
  }

  /** One step that the database refuses (a value it cannot hold) must not fail the others. */
  async #oneByOne(batch: readonly Waiting[]): Promise<void> {
    for (const waiting of batch) {
      try {
        const { duplicates } = await this.#core.store.commit(this.#fence, [waiting.step])
        waiting.done.resolve(duplicates.length === 0)
      } catch (error) {
        waiting.done.reject(coded(error))
      }
    }
  }
}

interface Waiting {
  readonly step: Step
  readonly done: Deferred<boolean>
}
