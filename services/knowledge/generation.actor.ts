import { runActor } from '#shared/actor/definition.ts'
import type { RunContext, RunDefinition } from '#shared/actor/definition.ts'
import { BuildGeneration } from '#shared/contracts/ingestion.ts'
import { Knowledge } from '#shared/contracts/knowledge.ts'
import type { GoldenRun } from '#shared/contracts/knowledge.ts'
import { say } from '#shared/contracts/say.ts'
import { documentsOf, versionOf } from '#shared/db/repositories/knowledge/documents.ts'
import {
  changeGeneration,
  generationOf as rowOf,
  useGeneration,
} from '#shared/db/repositories/knowledge/generations.ts'
import { goldenQuestions } from '#shared/db/repositories/knowledge/golden.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { embedSegment } from './ingest/embed-version.ts'
import { SCOPE } from './ingest/state.ts'
import type { KnowledgeParts } from './parts.ts'

/** How much worse the golden questions may be found by a new generation for it to be kept. */
const MAX_LOSS = 0.02

/**
 * Another generation of a collection's vectors, beside the one that is searched. It is switched to when every document is in
 * it; where the collection has golden questions they are asked before and after, and a generation that finds less goes
 * back at once. The one before it stays, to go back to.
 */
export function generationOf(parts: KnowledgeParts): RunDefinition {
  return runActor(BuildGeneration, async (ctx, { collection, generation }) => {
    const row = await ctx.sql((sql) => rowOf(sql, collection, generation))
    if (row === null) throw refuse('NOT_FOUND', { collection, generation })
    let chunks = 0
    // New ones are embedded in it as they come (embed-version.ts); those that were there before are read here.
    for (const { id, version } of await ctx.sql((sql) => documentsOf(sql, collection))) {
      ctx.signal.throwIfAborted()
      const found = await ctx.sql((sql) => versionOf(sql, id, version))
      if (found !== null && found.deletedAt === null) chunks += await embedSegment(parts, ctx, found, row)
      await ctx.sql((sql) => changeGeneration(sql, collection, generation, { chunks }, ctx.now()))
    }
    await parts.vectors.ensureIndex(ctx.tenant, { collection, generation, dimensions: row.dimensions }, chunks)
    const { adopted, reason } = await adopt(ctx, collection, generation)
    say(ctx, 'index:built', { collection, generation, embedder: row.embedder, chunks, adopted, reason }, SCOPE)
    return { chunks, adopted, reason }
  })
}

async function adopt(
  ctx: RunContext,
  collection: string,
  generation: number,
): Promise<{ adopted: boolean; reason: string }> {
  const before = await measured(ctx, collection)
  const former = before?.generation ?? 0
  await ctx.sql(async (sql) => await useGeneration(sql, collection, generation, ctx.now()))
  if (before === null) return { adopted: true, reason: 'The collection has no golden questions.' }
  const after = await measured(ctx, collection)
  const lost = before.ndcg - (after?.ndcg ?? 0)
  const figures = `nDCG of the golden questions ${before.ndcg.toFixed(3)} before, ${(after?.ndcg ?? 0).toFixed(3)} after`
  if (lost <= MAX_LOSS || former === 0) return { adopted: true, reason: `${figures}.` }
  await ctx.sql(async (sql) => {
    await useGeneration(sql, collection, former, ctx.now())
    await changeGeneration(sql, collection, generation, { note: `${figures}: not kept` }, ctx.now())
  })
  return { adopted: false, reason: `${figures}.` }
}

async function measured(ctx: RunContext, collection: string): Promise<GoldenRun | null> {
  const questions = await ctx.sql((sql) => goldenQuestions(sql, collection))
  return questions.length === 0 ? null : await ctx.reach.pool(Knowledge, 'main').ask('runGolden', { collection })
}
