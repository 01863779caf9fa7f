import type { Clock } from '#shared/lib/clock.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

import { Attempt } from './attempt.ts'
import type { BreakerBoard } from './breaker.ts'
import type { ModelDriver, ModelPiece, ModelRequest, TokenUsage } from './driver.ts'
import type { PriceTable } from './price.ts'
import { FAULTS, pauseAfter, rest } from './retry.ts'
import type { ModelLimits } from './spec.ts'

/**
 * One call to a model, made safe: time limits, retries with backoff and jitter, a circuit breaker, and a chain of
 * models to fall back to.
 *
 * M1  Once text was handed out nothing is tried again: what a person has read cannot be taken back by a retry.
 * M2  Tries are bounded, and a provider's own `retry after` is honoured or the model given up for this call.
 * M3  Every try is accounted exactly once, failed ones too.
 * M4  Whoever stops reading, or aborts, stops the provider: no try outlives its reader.
 */
export interface ChainLink {
  readonly driver: ModelDriver
  readonly tenant: string
  /** Where the provider is; part of the breaker's key. */
  readonly address: string
  readonly limits: ModelLimits
}

export interface ChainDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly breakers: BreakerBoard
  readonly prices: PriceTable
  readonly account: (call: ModelCall) => void
}

/** One try at one model, for the meter. */
export interface ModelCall {
  readonly tenant: string
  readonly provider: string
  readonly model: string
  readonly attempt: number
  readonly outcome: 'ok' | ErrorCode
  readonly usage: TokenUsage
  /** True when the provider reported no usage and it was counted here. */
  readonly estimated: boolean
  /** Millionths of the currency of the price table; null when no price is known. */
  readonly costMicros: number | null
  readonly firstPieceMs: number | null
  readonly ms: number
}

/** The end of an answer, with what the chain adds. */
export type ChainPiece =
  | Exclude<ModelPiece, { kind: 'end' }>
  | (Extract<ModelPiece, { kind: 'end' }> & { readonly call: ModelCall })

/** Neither of these gets better elsewhere. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['CANCELLED', 'MODEL_REFUSED'])

export async function* streamChain(
  links: readonly ChainLink[],
  request: ModelRequest,
  deps: ChainDeps,
): AsyncGenerator<ChainPiece> {
  let failure: WaggleError | null = null
  for (const link of links) {
    const key = `${link.tenant}|${link.driver.provider}|${link.address}`
    for (let attempt = 1; attempt <= Math.max(1, link.limits.attempts); attempt += 1) {
      const wait = deps.breakers.enter(key)
      if (wait > 0) {
        failure = new WaggleError('MODEL_DOWN', {
          reason: 'The circuit is open.',
          provider: link.driver.provider,
          retryAfterMs: wait,
        })
        break
      }
      const run = new Attempt(link, request, deps, attempt)
      try {
        yield* run.pieces()
        deps.breakers.succeeded(key)
        return
      } catch (thrown) {
        failure = run.fail(thrown)
        if (FAULTS.has(failure.code)) deps.breakers.failed(key)
        else if (failure.code !== 'CANCELLED') deps.breakers.succeeded(key)
      } finally {
        // Also reached when the reader left: a probe that told nothing gives its turn back.
        deps.breakers.left(key)
        run.close()
      }
      if (run.released || FINAL.has(failure.code)) throw failure
      const pause = attempt < link.limits.attempts ? pauseAfter(failure, attempt, link.limits, deps.random) : null
      if (pause === null) break
      await rest(pause, request.signal, deps.clock)
    }
  }
  throw failure ?? new WaggleError('MODEL_DOWN', { reason: 'No model is configured.' })
}
