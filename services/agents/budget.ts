import { RESERVED_OUTPUT_TOKENS, WARN_AT, tokensOf } from '#shared/contracts/budget.ts'
import type { Allotment, Spent } from '#shared/contracts/budget.ts'
import type { Usage } from '#shared/contracts/event-map.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { costMicros } from '#shared/models/price.ts'
import type { PriceTable } from '#shared/models/price.ts'

/** Characters of a prompt to a token, on the safe side of what encoders make of prose. */
const CHARS_PER_TOKEN = 3

export interface Model {
  readonly provider: string
  readonly model: string
  readonly maxOutputTokens: number
}

/** One kind of spending: what there is of it after the next call, against what there may be. */
interface Reckoned {
  readonly what: Spent['what']
  readonly used: number
  readonly after: number
  readonly limit: number
}

/**
 * What one run may spend. Nothing is kept here: what has been used comes from the graph's state, which survives a crash;
 * a model call is reserved before it is made (its prompt, and as much as it may answer) and settled by its usage.
 */
export class Budget {
  readonly #allotment: Allotment
  readonly #prices: PriceTable
  readonly #model: Model
  readonly #startedAt: number
  readonly #warn: (about: Omit<Spent, 'usage'>) => void
  #warned = false

  /** @param startedAt when the run was first begun, milliseconds; the same for all its attempts */
  constructor(
    allotment: Allotment,
    prices: PriceTable,
    model: Model,
    startedAt: number,
    warn: (about: Omit<Spent, 'usage'>) => void,
  ) {
    this.#allotment = allotment
    this.#prices = prices
    this.#model = model
    this.#startedAt = startedAt
    this.#warn = warn
  }

  /** Throws BUDGET_SPENT when the next model call is not covered; otherwise what the agent is to be told, or null. */
  reserve(usage: Usage, promptChars: number, now: number): string | null {
    const reckoned = this.#reckon(usage, promptChars, now)
    const over = reckoned.find(({ after, limit }) => after > limit)
    if (over !== undefined) {
      const { what, used, limit } = over
      throw new WaggleError('BUDGET_SPENT', { what, used, limit, usage: { ...usage } }, { expected: true })
    }
    const near = reckoned.find(({ after, limit }) => after >= limit * WARN_AT)
    if (near === undefined) return null
    if (!this.#warned) this.#warn({ what: near.what, used: near.used, limit: near.limit })
    this.#warned = true
    return NEARLY_SPENT
  }

  /** Millionths; of a model without a price, nothing is known to have been paid. */
  costOf(usage: Omit<Usage, 'costMicros'>, answered: Partial<Pick<Model, 'provider' | 'model'>>): number {
    const { provider = this.#model.provider, model = this.#model.model } = answered
    return costMicros(this.#prices, provider, model, usage) ?? 0
  }

  #reckon(usage: Usage, promptChars: number, now: number): readonly Reckoned[] {
    const { tokens, costMicros: money, wallMs } = this.#allotment
    const next = {
      inputTokens: Math.ceil(promptChars / CHARS_PER_TOKEN),
      outputTokens: this.#model.maxOutputTokens,
      cachedTokens: 0,
    }
    const found: Reckoned[] = []
    if (tokens !== null) {
      const used = tokensOf(usage)
      found.push({ what: 'tokens', used, after: used + next.inputTokens + next.outputTokens, limit: tokens })
    }
    if (money !== null) {
      // A limit in money cannot be kept with a model whose price nobody knows: it covers nothing.
      const price = costMicros(this.#prices, this.#model.provider, this.#model.model, next) ?? Infinity
      found.push({ what: 'costMicros', used: usage.costMicros, after: usage.costMicros + price, limit: money })
    }
    if (wallMs !== null) {
      const used = Math.max(0, now - this.#startedAt)
      found.push({ what: 'wallMs', used, after: used, limit: wallMs })
    }
    return found
  }
}

export function modelOf(spec: {
  provider: string
  model?: string | undefined
  maxOutputTokens?: number | undefined
}): Model {
  const { provider, model = '', maxOutputTokens = RESERVED_OUTPUT_TOKENS } = spec
  return { provider, model, maxOutputTokens }
}

const NEARLY_SPENT =
  'You have used most of what this turn may spend. Call no more tools than you must, and answer now with what you have.'
