import type { TokenUsage } from './driver.ts'

/** Prices in the tenant's currency per million tokens. */
export interface ModelPrice {
  readonly inputPerMillion: number
  readonly cachedPerMillion?: number
  readonly outputPerMillion: number
}

/** Keyed `provider/model`, or `provider/*` for all of a provider. Comes from configuration; nothing is built in. */
export type PriceTable = Readonly<Record<string, ModelPrice>>

/**
 * The cost in millionths of the currency, rounded up: a price per million tokens times tokens is just that, and whole
 * numbers add up exactly. Null when no price is known, which is not the same as free.
 */
export function costMicros(prices: PriceTable, provider: string, model: string, usage: TokenUsage): number | null {
  const price = prices[`${provider}/${model}`] ?? prices[`${provider}/*`]
  if (price === undefined) return provider === 'builtin' || provider === 'scripted' ? 0 : null
  const fresh = Math.max(0, usage.inputTokens - usage.cachedTokens)
  const cached = usage.cachedTokens * (price.cachedPerMillion ?? price.inputPerMillion)
  return Math.ceil(fresh * price.inputPerMillion + cached + usage.outputTokens * price.outputPerMillion)
}
