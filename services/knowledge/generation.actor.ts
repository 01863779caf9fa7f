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
import type { GenerationRow } from '#shared/db/repositories/knowledge/generations.ts'
import { goldenQuestions } from '#shared/db/repositories/knowledge/golden.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { LSA_VERSION } from '#shared/ranking/lsa.ts'
import { fitGeneration } from './fit/fit-generation.ts'
import { embedSegment } from './ingest/embed-version.ts'
import { SCOPE } from './ingest/state.ts'
import type { KnowledgeParts } from './parts.ts'

/** How much worse the golden questions may be found by a new generation for it to be kept. */
const MAX_LOSS = 0.02

/**
 * Another generation of a collection's vectors, beside the one that is searched. It is switched to when every document is in
 * it; where the collection has golden questions they are asked before and after, and a generation that finds less goes
 * back at once; one that was fitted to the collection must find more. The one before it stays, to go back to.
 */
export function generationOf(parts: KnowledgeParts): RunDefinition {
  return runActor(BuildGeneration, async (ctx, { collection, generation }) => {
    const read = async (): Promise<GenerationRow> => {
      const row = await ctx.sql((sql) => rowOf(sql, collection, generation))
      if (row === null) throw refuse('NOT_FOUND', { collection, generation })
      return row
    }
    if ((await read()).embedder === LSA_VERSION) await fitGeneration(ctx, collection, await read())
    const row = await read()
    const chunks = await embedAll(parts, ctx, collection, row)
    await parts.vectors.ensureIndex(ctx.tenant, { collection, generation, dimensions: row.dimensions }, chunks)
    const { adopted, reason } = await adopt(ctx, collection, row)
    say(ctx, 'index:built', { collection, generation, embedder: row.embedder, chunks, adopted, reason }, SCOPE)
    return { chunks, adopted, reason }
  })
}

/**
 * New ones are embedded in it as they come (embed-version.ts); those that were there before are read here, and again until
 * there is none that came in between.
 */
async function embedAll(
  parts: KnowledgeParts,
  ctx: RunContext,
  collection: string,
  row: GenerationRow,
): Promise<number> {
  const { generation } = row
  const done = new Set<number>()
  let chunks = 0
  for (;;) {
    const before = done.size
    for (const { id, version } of await ctx.sql((sql) => documentsOf(sql, collection))) {
      ctx.signal.throwIfAborted()
      const found = await ctx.sql((sql) => versionOf(sql, id, version))
      if (found === null || found.deletedAt !== null || done.has(found.segment)) continue
      chunks += await embedSegment(parts, ctx, found, row)
      done.add(found.segment)
      await ctx.sql((sql) => changeGeneration(sql, collection, generation, { chunks }, ctx.now()))
    }
    if (done.size === before) return chunks
  }
}

async function adopt(
  ctx: RunContext,
  collection: string,
  { generation, embedder }: GenerationRow,
): Promise<{ adopted: boolean; reason: string }> {
  const fitted = embedder === LSA_VERSION
  const keep = async (former: number, note: string): Promise<{ adopted: boolean; reason: string }> => {
    await ctx.sql(async (sql) => {
      if (former > 0) await useGeneration(sql, collection, former, ctx.now())
      await changeGeneration(sql, collection, generation, { state: 'retired', note: `${note}: not kept` }, ctx.now())
    })
    return { adopted: false, reason: `${note}.` }
  }
  const before = await measured(ctx, collection)
  // It may be worse than what everybody has, and nothing would show it.
  if (before === null && fitted) return await keep(0, 'A fitted model needs golden questions that it gains on')
  const former = before?.generation ?? 0
  await ctx.sql(async (sql) => await useGeneration(sql, collection, generation, ctx.now()))
  if (before === null) return { adopted: true, reason: 'The collection has no golden questions.' }
  const after = await measured(ctx, collection)
  const gained = (after?.ndcg ?? 0) - before.ndcg
  const figures = `nDCG of the golden questions ${before.ndcg.toFixed(3)} before, ${(after?.ndcg ?? 0).toFixed(3)} after`
  if (former === 0 || (fitted ? gained > 0 : gained >= -MAX_LOSS)) return { adopted: true, reason: `${figures}.` }
  return await keep(former, figures)
}

async function measured(ctx: RunContext, collection: string): Promise<GoldenRun | null> {
  const questions = await ctx.sql((sql) => goldenQuestions(sql, collection))
  return questions.length === 0 ? null : await ctx.reach.pool(Knowledge, 'main').ask('runGolden', { collection })
}
