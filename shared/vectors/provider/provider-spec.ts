import { z } from 'zod'

import type { RetryLimits } from '#shared/models/retry.ts'
import { MODEL_LIMITS } from '#shared/models/spec.ts'

/** Bounds of one request to a provider of vectors or scores. */
export const PROVIDER_LIMITS = {
  attempts: MODEL_LIMITS.attempts,
  backoffFirstMs: MODEL_LIMITS.backoffFirstMs,
  backoffMaxMs: MODEL_LIMITS.backoffMaxMs,
  retryAfterMaxMs: MODEL_LIMITS.retryAfterMaxMs,
  /** Until the whole answer is there. */
  answerMs: 30_000,
  /** 100 vectors of 3,840 numbers with twenty digits are 8 MB. */
  answerMaxBytes: 32 * 1024 * 1024,
} as const satisfies Record<string, number>

export type ProviderLimits = { readonly [Name in keyof typeof PROVIDER_LIMITS]: number } & RetryLimits

const limits = z
  .object(Object.fromEntries(Object.keys(PROVIDER_LIMITS).map((name) => [name, z.number().int().min(0).optional()])))
  .strict()

/** What every provider needs to be told, as it stands in a database row or the configuration. */
export const providerFields = {
  /** The provider's name of the model. */
  model: z.string().min(1).max(200),
  /** Whose breaker, key and bill this is. */
  tenant: z.string().min(1).max(200),
  /** Without the operation: `https://api.openai.com/v1`. Where it is known by, if not given. */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  apiKey: z.string().min(1).max(2_000).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  limits: limits.optional(),
}
