import type { EmbedderSettings } from '#shared/contracts/knowledge.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { HASHED_DIMENSIONS, HASHED_VERSION } from '#shared/ranking/hashed-embedder.ts'

/** What names a generation: vectors of another id cannot be compared with its own. */
export function embedderId({ provider, model }: EmbedderSettings): string {
  return provider === 'builtin' ? HASHED_VERSION : `${provider}/${model}`
}

/** Of a hosted model they are a setting: the first vector that has others is refused. */
export function embedderDimensions({ provider, dimensions }: EmbedderSettings): number {
  if (provider === 'builtin') return HASHED_DIMENSIONS
  if (dimensions === undefined)
    throw refuse('BAD_INPUT', { fields: [{ path: 'settings.embedder.dimensions', problem: 'needed for a hosted model' }] })
  return dimensions
}
