import type { Chunk } from './chunk.ts'

/** Caps of chunks that a passage around them may hold. */
const CHUNKS_PER_PARENT = 4

/**
 * For each chunk the ordinal of the first chunk of its passage: neighbours of up to four caps, ended early where a section
 * of the first level ends and the passage is worth a chunk already. Nothing for a document that is one passage.
 */
export function parentOrdinals(chunks: readonly Chunk[], maxTokens: number): number[] {
  const limit = CHUNKS_PER_PARENT * maxTokens
  if (chunks.reduce((sum, chunk) => sum + chunk.tokens, 0) <= limit) return []
  const parents: number[] = []
  let first = 0
  let tokens = 0
  for (const [ordinal, chunk] of chunks.entries()) {
    const ended = chunk.headings[0] !== chunks[ordinal - 1]?.headings[0] && tokens >= maxTokens
    if (tokens > 0 && (ended || tokens + chunk.tokens > limit)) {
      first = ordinal
      tokens = 0
    }
    tokens += chunk.tokens
    parents.push(first)
  }
  return parents
}
