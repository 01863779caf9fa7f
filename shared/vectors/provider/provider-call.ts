import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { BreakerBoard } from '#shared/models/breaker.ts'
import type { ModelCall } from '#shared/models/model-chain.ts'
import { costMicros } from '#shared/models/price.ts'
import type { PriceTable } from '#shared/models/price.ts'
import { FAULTS, pauseAfter, rest } from '#shared/models/retry.ts'

import { postJson } from './post-json.ts'
import { PROVIDER_LIMITS } from './provider-spec.ts'
import type { ProviderLimits } from './provider-spec.ts'

/** What embedders and rerankers share with the others of their process. All of it has a default. */
export interface ProviderDeps {
  readonly clock?: Clock
  readonly random?: () => number
  /** The board of the chat models: an address that is down is down for both. */
  readonly breakers?: BreakerBoard
  readonly prices?: PriceTable
  /** Called once for every try, also for failed ones. */
  readonly account?: (call: ModelCall) => void
  /** Where tenants choose base URLs, `guardedFetch`. */
  readonly fetch?: typeof fetch
}

/** Who is asked, and how long. */
export interface Provider {
  readonly provider: string
  readonly model: string
  readonly tenant: string
  readonly baseUrl: string
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
  readonly limits: ProviderLimits
}

export interface ProviderRequest<Answer> {
  /** After the base URL. */
  readonly path: string
  readonly body: unknown
  /** Throws MODEL_MALFORMED for what is no whole answer. */
  readonly read: (json: unknown) => { readonly answer: Answer; readonly inputTokens: number | null }
  /** What it is likely to cost, when the provider does not say. */
  readonly estimate: () => number
}

/**
 * One request to a provider, made safe as a chat model's is (shared/models): bounded in time and size, tried again with
 * backoff or when the provider says, behind the same circuit breakers, and each try accounted exactly once.
 */
export class ProviderCalls {
  readonly #provider: Provider
  readonly #clock: Clock
  readonly #random: () => number
  readonly #breakers: BreakerBoard
  readonly #prices: PriceTable
  readonly #account: (call: ModelCall) => void
  readonly #fetch: typeof fetch

  constructor(provider: Provider, deps: ProviderDeps) {
    this.#provider = provider
    this.#clock = deps.clock ?? systemClock
    this.#random = deps.random ?? Math.random
    this.#breakers = deps.breakers ?? new BreakerBoard(this.#clock)
    this.#prices = deps.prices ?? {}
    this.#account = deps.account ?? (() => undefined)
    this.#fetch = deps.fetch ?? fetch
  }

  async ask<Answer>(request: ProviderRequest<Answer>, signal: AbortSignal): Promise<Answer> {
    const { tenant, provider, baseUrl, limits } = this.#provider
    const key = `${tenant}|${provider}|${baseUrl}`
    for (let attempt = 1; ; attempt += 1) {
      const wait = this.#breakers.enter(key)
      if (wait > 0)
        throw new WaggleError('MODEL_DOWN', { reason: 'The circuit is open.', provider, retryAfterMs: wait })
      const begun = this.#clock.elapsed()
      try {
        const { answer, inputTokens } = await this.#try(request, signal)
        this.#breakers.succeeded(key)
        this.#tell('ok', attempt, begun, inputTokens ?? request.estimate(), inputTokens === null)
        return answer
      } catch (thrown) {
        const failure = signal.aborted ? cancelled() : coded(thrown, 'MODEL_DOWN')
        if (FAULTS.has(failure.code)) this.#breakers.failed(key)
        else if (failure.code === 'CANCELLED' || failure.code === 'ADDRESS_REFUSED') this.#breakers.left(key)
        else this.#breakers.succeeded(key)
        this.#tell(failure.code, attempt, begun, 0, true)
        const pause = attempt < limits.attempts ? pauseAfter(failure, attempt, limits, this.#random) : null
        if (pause === null) throw failure
        await rest(pause, signal, this.#clock)
      }
    }
  }

  async #try<Answer>(
    request: ProviderRequest<Answer>,
    signal: AbortSignal,
  ): Promise<{ readonly answer: Answer; readonly inputTokens: number | null }> {
    const { baseUrl, headers, secrets, limits } = this.#provider
    if (signal.aborted) throw cancelled()
    const late = new AbortController()
    const stop = this.#clock.setTimeout(() => late.abort(), limits.answerMs)
    try {
      const post = {
        url: `${baseUrl.replace(/\/+$/, '')}${request.path}`,
        headers,
        body: request.body,
        maxBytes: limits.answerMaxBytes,
        secrets,
      }
      const deps = { fetch: this.#fetch, now: () => this.#clock.now() }
      return request.read(await postJson(post, deps, AbortSignal.any([signal, late.signal])))
    } catch (thrown) {
      if (!late.signal.aborted || signal.aborted) throw thrown
      throw new WaggleError('MODEL_DOWN', { reason: 'There was no answer in time.', limitMs: limits.answerMs })
    } finally {
      stop()
    }
  }

  #tell(outcome: 'ok' | ErrorCode, attempt: number, begun: number, inputTokens: number, estimated: boolean): void {
    const { tenant, provider, model } = this.#provider
    const usage = { inputTokens, outputTokens: 0, cachedTokens: 0 }
    const cost = costMicros(this.#prices, provider, model, usage)
    const ms = this.#clock.elapsed() - begun
    this.#account({
      tenant,
      provider,
      model,
      attempt,
      outcome,
      usage,
      estimated,
      costMicros: cost,
      firstPieceMs: outcome === 'ok' ? ms : null,
      ms,
    })
  }
}

/** Shorter ones are no secrets, and would black out half of a message. */
const MIN_SECRET_CHARS = 8

export function providerOf(
  spec: {
    readonly provider: string
    readonly model: string
    readonly tenant: string
    readonly baseUrl?: string | undefined
    readonly apiKey?: string | undefined
    readonly headers?: Readonly<Record<string, string>> | undefined
    readonly limits?: Readonly<Record<string, number | undefined>> | undefined
  },
  wire: { readonly baseUrl: string; readonly keyHeaders: (key: string) => Readonly<Record<string, string>> },
): Provider {
  const { provider, model, tenant, baseUrl = wire.baseUrl, apiKey, headers = {}, limits } = spec
  return {
    provider,
    model,
    tenant,
    baseUrl,
    headers: { ...(apiKey !== undefined && wire.keyHeaders(apiKey)), ...headers },
    secrets: [apiKey ?? '', ...Object.values(headers)].filter((secret) => secret.length >= MIN_SECRET_CHARS),
    limits: { ...PROVIDER_LIMITS, ...(limits as Partial<ProviderLimits> | undefined) },
  }
}

export const bearer = (key: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${key}` })

function cancelled(): WaggleError {
  return new WaggleError('CANCELLED', { step: 'asking the model' })
}
