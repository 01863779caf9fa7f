import { runActor } from '#shared/actor/definition.ts'
import type { RunContext, RunDefinition } from '#shared/actor/definition.ts'
import { Ingest } from '#shared/contracts/ingestion.ts'
import { CollectionSettings } from '#shared/contracts/knowledge.ts'
import { collectionById } from '#shared/db/repositories/knowledge/collections.ts'
import { versionOf } from '#shared/db/repositories/knowledge/documents.ts'
import { generationOf } from '#shared/db/repositories/knowledge/generations.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { embedVersion } from './ingest/embed-version.ts'
import { fetchVersion } from './ingest/fetch-version.ts'
import { indexVersion } from './ingest/index-version.ts'
import { Progress } from './ingest/progress.ts'
import { readVersion } from './ingest/read-version.ts'
import type { KnowledgeParts } from './parts.ts'

/**
 * One version of a document: fetched, read page by page, cut, written to the index, embedded, switched to. Each step leaves
 * what it has done in rows, and begins with what is there: a run that goes on elsewhere reads no page twice.
 *
 * The first version of a document is found by its words as soon as they are in the index; a later one replaces the version
 * before it when all of it is there.
 */
export function ingestOf(parts: KnowledgeParts): RunDefinition {
  return runActor(Ingest, async (ctx, { documentId, version }) => {
    const found = await ctx.sql(async (sql) => {
      const row = await versionOf(sql, documentId, version)
      const collection = row === null ? null : await collectionById(sql, row.collection)
      return row === null || row.deletedAt !== null || collection === null ? null : { row, collection }
    })
    if (found === null) return { chunks: 0, pages: 0 }
    const { row, collection } = found
    const settings = CollectionSettings.parse(collection.settings)
    const progress = new Progress(ctx, row)
    const hash = row.hash ?? (await fetchVersion(parts, ctx, row, progress))
    // Nothing has changed at its address.
    if (hash === null) return { chunks: 0, pages: 0 }
    const pages = await readVersion(parts, ctx, { ...row, hash }, settings, progress)
    const chunks = await indexVersion(ctx, row, settings, progress)
    await embedVersion(parts, ctx, row, progress)
    await progress.reach('ready')
    await keepFast(parts, ctx, row.collection)
    return { chunks, pages }
  })
}

/** A collection that has grown large gets what its searches need; until then, and where that fails, they compare everything. */
async function keepFast(parts: KnowledgeParts, ctx: RunContext, collection: string): Promise<void> {
  try {
    const { count, active } = await ctx.sql(async (sql) => {
      const row = await collectionById(sql, collection)
      return {
        count: row?.chunks ?? 0,
        active: row === null ? null : await generationOf(sql, collection, row.generation),
      }
    })
    if (active === null) return
    const { generation, dimensions } = active
    await parts.vectors.ensureIndex(ctx.tenant, { collection, generation, dimensions }, count)
  } catch (error) {
    ctx.signal.throwIfAborted()
    ctx.log.warn({ run: ctx.address, collection, code: coded(error).code }, 'no approximate index was built')
  }
}
