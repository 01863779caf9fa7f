import type { RunContext } from '#shared/actor/definition.ts'
import { textsOfSegment } from '#shared/db/repositories/knowledge/chunks.ts'
import { switchVersion } from '#shared/db/repositories/knowledge/documents.ts'
import type { VersionRow } from '#shared/db/repositories/knowledge/documents.ts'
import { generationsOf } from '#shared/db/repositories/knowledge/generations.ts'
import type { GenerationRow } from '#shared/db/repositories/knowledge/generations.ts'
import { LSA_VERSION } from '#shared/ranking/lsa.ts'
import type { VectorIndex } from '#shared/vectors/vector-store.ts'
import type { KnowledgeParts } from '../parts.ts'
import type { Progress } from './progress.ts'

/** Texts of one call to an embedder and one write to the store. */
const BATCH = 64

/** Vectors of a version in every generation that is, or may come to be, searched. Then the version is switched to. */
export async function embedVersion(
  parts: KnowledgeParts,
  ctx: RunContext,
  row: VersionRow,
  progress: Progress,
): Promise<void> {
  await progress.reach('embedding')
  const { document, version, collection } = row
  const generations = await ctx.sql((sql) => generationsOf(sql, collection))
  for (const generation of generations) if (isKept(generation)) await embedSegment(parts, ctx, row, generation)
  await ctx.sql((sql) => switchVersion(sql, document, version, ctx.now()))
}

/** Retired ones are kept to go back to, so they learn what is new as well. */
function isKept({ state, embedder, fitted }: GenerationRow): boolean {
  if (state === 'failed') return false
  // One that is still being fitted reads everything when it is.
  return embedder !== LSA_VERSION || fitted
}

export async function embedSegment(
  parts: KnowledgeParts,
  ctx: RunContext,
  { collection, segment, title }: Pick<VersionRow, 'collection' | 'segment' | 'title'>,
  row: GenerationRow,
): Promise<number> {
  const embedder = await parts.embedder(ctx.tenant, collection, row)
  const index: VectorIndex = { collection, generation: row.generation, dimensions: row.dimensions }
  await parts.vectors.prepare(ctx.tenant, index)
  let written = 0
  for (let from = 0; ;) {
    const texts = await ctx.sql((sql) => textsOfSegment(sql, segment, from, BATCH))
    const last = texts.at(-1)
    if (last === undefined) return written
    const vectors = await embedder.embedDocuments(
      texts.map((text) => ({ ...text, title })),
      ctx.signal,
    )
    const points = texts.map(({ ordinal }, at) => ({ segment, ordinal, vector: vectors[at]! }))
    if (parts.vectors.transactional) await ctx.sql((sql) => parts.vectors.write(sql, index, points))
    else await parts.vectors.write(ctx.tenant, index, points)
    written += points.length
    from = last.ordinal + 1
  }
}
