import { runActor } from '#shared/actor/definition.ts'
import type { RunDefinition } from '#shared/actor/definition.ts'
import { Ingest } from '#shared/contracts/ingestion.ts'
import { CollectionSettings } from '#shared/contracts/knowledge.ts'
import { collectionById } from '#shared/db/repositories/knowledge/collections.ts'
import { versionOf } from '#shared/db/repositories/knowledge/documents.ts'
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
    return { chunks, pages }
  })
}
