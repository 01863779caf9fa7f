import type { RunContext } from '#shared/actor/definition.ts'
import { textsOfSegment } from '#shared/db/repositories/knowledge/chunks.ts'
import { documentsOf, versionOf } from '#shared/db/repositories/knowledge/documents.ts'
import type { VersionRow } from '#shared/db/repositories/knowledge/documents.ts'
import { changeGeneration } from '#shared/db/repositories/knowledge/generations.ts'
import type { GenerationRow } from '#shared/db/repositories/knowledge/generations.ts'
import type { EmbeddedText } from '#shared/ranking/hashed-embedder.ts'
import { LSA_MAX_PASSAGES } from '#shared/ranking/lsa.ts'
import { fitModel } from './fit-model.ts'

const BATCH = 200

/**
 * Fits the model of a generation to what the collection holds now, and keeps it in its row. A run that goes on elsewhere
 * finds it there: a model never changes once vectors were made with it.
 */
export async function fitGeneration(ctx: RunContext, collection: string, row: GenerationRow): Promise<void> {
  if (row.fitted) return
  const versions: VersionRow[] = []
  for (const { id, version } of await ctx.sql((sql) => documentsOf(sql, collection))) {
    const found = await ctx.sql((sql) => versionOf(sql, id, version))
    if (found !== null && found.deletedAt === null) versions.push(found)
  }
  const chunks = versions.reduce((sum, version) => sum + version.chunks, 0)
  const every = Math.max(1, Math.ceil(chunks / LSA_MAX_PASSAGES))
  const model = await fitModel(sampled(ctx, versions, every), ctx.signal)
  await ctx.sql((sql) => changeGeneration(sql, collection, row.generation, { model }, ctx.now()))
}

/** One of `every` so many chunks, in the order of the documents. */
async function* sampled(
  ctx: RunContext,
  versions: readonly VersionRow[],
  every: number,
): AsyncGenerator<readonly EmbeddedText[]> {
  let seen = 0
  for (const { segment, title } of versions) {
    for (let from = 0; ;) {
      const texts = await ctx.sql((sql) => textsOfSegment(sql, segment, from, BATCH))
      const last = texts.at(-1)
      if (last === undefined) break
      const taken = texts.filter((_, at) => (seen + at) % every === 0)
      seen += texts.length
      from = last.ordinal + 1
      yield taken.map(({ text, headings, language }) => ({ text, headings, language, title }))
    }
  }
}
