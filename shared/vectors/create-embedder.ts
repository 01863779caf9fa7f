import { z } from 'zod'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { Embedder } from './embedder.ts'
import { BuiltinEmbedder } from './embedders/builtin-embedder.ts'
import type { LexicalMaths } from './embedders/builtin-embedder.ts'
import { HostedEmbedder } from './embedders/hosted-embedder.ts'
import { EMBEDDER_WIRES } from './embedders/wires.ts'
import { ProviderCalls, providerOf } from './provider/provider-call.ts'
import type { ProviderDeps } from './provider/provider-call.ts'
import { providerFields } from './provider/provider-spec.ts'
import { MAX_DIMENSIONS } from './vector-store.ts'

const hosted = z
  .object({
    ...providerFields,
    provider: z.enum(['openai', 'ollama', 'google', 'cohere']),
    /** Of the vectors that come back; another number in an answer is refused. */
    dimensions: z.number().int().min(1).max(MAX_DIMENSIONS),
    /** Ask for `dimensions` although the model's own are more; only some models can. */
    shorten: z.boolean().default(false),
    /** Texts in one request, where this server takes fewer than its wire allows. */
    maxBatch: z.number().int().min(1).max(2_048).optional(),
  })
  .strict()

/** Which embedder, as it stands in a database row or the configuration. */
export const embedderSpecSchema = z.discriminatedUnion('provider', [
  z.object({ provider: z.literal('builtin') }).strict(),
  hosted,
])
export type EmbedderSpec = z.input<typeof embedderSpecSchema>

export interface EmbedderDeps extends ProviderDeps {
  /** What `builtin` reckons with. */
  readonly lexical?: LexicalMaths
}

/** Nothing is contacted before it is asked something. Throws BAD_INPUT for a bad spec. */
export function createEmbedder(spec: EmbedderSpec, deps: EmbedderDeps = {}): Embedder {
  const parsed = embedderSpecSchema.safeParse(spec)
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new WaggleError('BAD_INPUT', { fields })
  }
  const { data } = parsed
  if (data.provider === 'builtin') {
    if (deps.lexical === undefined) throw new WaggleError('CONFIG', { reason: 'The builtin embedder needs its maths.' })
    return new BuiltinEmbedder(deps.lexical)
  }
  const wire = EMBEDDER_WIRES[data.provider]
  const { provider, model, dimensions, shorten, maxBatch = wire.maxBatch } = data
  const calls = new ProviderCalls(providerOf(data, wire), deps)
  return new HostedEmbedder({ provider, model, dimensions, shorten, maxBatch }, wire, calls)
}
