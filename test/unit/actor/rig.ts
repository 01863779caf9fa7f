import { z } from 'zod'
import type { RunContext } from '#shared/actor/definition.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'

export const Nothing = z.object({})

/** The error that a promise fails with, while virtual time runs. */
export async function failure(kit: TestSystem, promise: Promise<unknown>): Promise<WaggleError> {
  try {
    await kit.clock.settle(promise)
  } catch (error) {
    return coded(error)
  }
  throw new Error('it did not fail')
}

/** A gate in a run: tells how often it was reached, and opens from outside. */
export class Gate {
  reached = 0
  #open = new Deferred<void>()

  /** Ends with the run's signal, as work that listens does. */
  async pass(ctx: Pick<RunContext, 'signal'>): Promise<void> {
    this.reached++
    await Promise.race([this.#open.promise, aborted(ctx.signal)])
  }
  open(): void {
    this.#open.resolve()
  }
  /** Work that does not listen. */
  get deaf(): Promise<void> {
    this.reached++
    return this.#open.promise
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}
