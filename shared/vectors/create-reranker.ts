import { z } from 'zod'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import { ProviderCalls, providerOf } from './provider/provider-call.ts'
import type { ProviderDeps } from './provider/provider-call.ts'
import { providerFields } from './provider/provider-spec.ts'
import type { Reranker } from './reranker.ts'
import { HostedReranker } from './rerankers/hosted-reranker.ts'
import { RERANKER_WIRES } from './rerankers/wires.ts'

/** Which reranker, as it stands in a database row or the configuration. */
export const rerankerSpecSchema = z
  .object({
    ...providerFields,
    provider: z.enum(['cohere', 'jina', 'tei']),
    /** Texts in one request, where this server takes another number than its wire's default. */
    maxBatch: z.number().int().min(1).max(2_048).optional(),
  })
  .strict()
export type RerankerSpec = z.input<typeof rerankerSpecSchema>

/** Nothing is contacted before it is asked something. Throws BAD_INPUT for a bad spec. */
export function createReranker(spec: RerankerSpec, deps: ProviderDeps = {}): Reranker {
  const parsed = rerankerSpecSchema.safeParse(spec)
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new WaggleError('BAD_INPUT', { fields })
  }
  const wire = RERANKER_WIRES[parsed.data.provider]
  const { provider, model, maxBatch = wire.maxBatch } = parsed.data
  return new HostedReranker({ provider, model, maxBatch }, wire, new ProviderCalls(providerOf(parsed.data, wire), deps))
}
