import type { Clock } from '#shared/lib/clock.ts'

/**
 * Deficit round robin over tenants (Shreedhar and Varghese, 1995) in front of a bounded number of workers. Each tenant
 * with waiting work has a turn in a ring; a turn adds QUANTUM_MS to its deficit and it may start work while the deficit
 * is positive; what the work really took is charged when it ends. A tenant whose work is long waits longer for its next
 * turn, so what is shared fairly is time, not the number of messages.
 *
 * Invariants: a tenant is in the ring exactly while it has waiting work; `active` never exceeds `width`; work of one
 * tenant starts in the order it was submitted.
 */
export class FairQueue {
  readonly #width: number
  readonly #clock: Clock
  readonly #ring: Share[] = []
  readonly #shares = new Map<string, Share>()
  #active = 0
  #waiting = 0

  constructor(width: number, clock: Clock) {
    this.#width = width
    this.#clock = clock
  }

  get waiting(): number {
    return this.#waiting
  }
  get active(): number {
    return this.#active
  }

  /** `work` must not reject; its errors are its own. The returned function withdraws it while it has not started. */
  submit(tenant: string, work: () => Promise<void>): () => boolean {
    let share = this.#shares.get(tenant)
    if (share === undefined) {
      share = { tenant, deficit: 0, queue: [], active: 0 }
      this.#shares.set(tenant, share)
    }
    if (share.queue.length === 0) this.#ring.push(share)
    const ticket: Ticket = { work }
    share.queue.push(ticket)
    this.#waiting++
    this.#start()
    return () => this.#withdraw(share, ticket)
  }

  #start(): void {
    while (this.#active < this.#width && this.#ring.length > 0) {
      const share = this.#ring[0]!
      if (share.deficit <= 0) {
        share.deficit += QUANTUM_MS
        this.#ring.push(this.#ring.shift()!)
        // Alone in the ring there is nobody to be fair to: a debt is forgotten instead of spun off.
        if (this.#ring.length === 1) share.deficit = QUANTUM_MS
        continue
      }
      const ticket = share.queue.shift()!
      if (share.queue.length === 0) this.#ring.shift()
      this.#waiting--
      this.#run(share, ticket)
    }
  }

  #run(share: Share, ticket: Ticket): void {
    this.#active++
    share.active++
    share.deficit -= START_COST_MS
    const started = this.#clock.elapsed()
    void ticket.work().finally(() => {
      this.#active--
      share.active--
      // Charged by its part of the machine: work beside others has waited for them too.
      share.deficit -= (this.#clock.elapsed() - started) / Math.max(1, this.#active + 1)
      if (share.deficit < -MAX_DEBT_MS) share.deficit = -MAX_DEBT_MS
      if (share.active === 0 && share.queue.length === 0) this.#shares.delete(share.tenant)
      this.#start()
    })
  }

  #withdraw(share: Share, ticket: Ticket): boolean {
    const index = share.queue.indexOf(ticket)
    if (index < 0) return false
    share.queue.splice(index, 1)
    this.#waiting--
    if (share.queue.length === 0) {
      this.#ring.splice(this.#ring.indexOf(share), 1)
      if (share.active === 0) this.#shares.delete(share.tenant)
    }
    return true
  }
}

const QUANTUM_MS = 4
/** Charged at the start, so that a burst of a tenant cannot take every worker before the first of them ends. */
const START_COST_MS = 1
const MAX_DEBT_MS = 1_000

interface Ticket {
  readonly work: () => Promise<void>
}
interface Share {
  readonly tenant: string
  deficit: number
  readonly queue: Ticket[]
  active: number
}
