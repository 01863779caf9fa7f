import { runActor } from '#shared/actor/definition.ts'
import type { RunContext, RunDefinition } from '#shared/actor/definition.ts'
import { Sweep } from '#shared/contracts/ingestion.ts'
import { say } from '#shared/contracts/say.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { dropUnusedBlobs, objectsRemoved, objectsToRemove } from '#shared/db/repositories/knowledge/blobs.ts'
import { dropSegment } from '#shared/db/repositories/knowledge/chunks.ts'
import { forgetDocument, leftovers, orphans } from '#shared/db/repositories/knowledge/removal.ts'
import type { Leftover } from '#shared/db/repositories/knowledge/removal.ts'
import { dropOldUploads } from '#shared/db/repositories/knowledge/uploads.ts'
import { SCOPE } from './ingest/state.ts'
import { UPLOAD_KEPT_MS } from './ingest/uploads.ts'
import type { KnowledgeParts } from './parts.ts'

const BATCH = 50

/**
 * Removes what nobody can find any more, one segment after another: its place in the index, its vectors, and of a removed
 * document everything else; then content without a version, and its objects. It ends when it has looked again and nothing
 * is left, so that a document that was removed is gone, not only hidden.
 */
export function sweepOf(parts: KnowledgeParts): RunDefinition {
  return runActor(Sweep, async (ctx) => {
    const removed = { chunks: 0, vectors: 0, blobs: 0 }
    for (;;) {
      const left = await ctx.sql((sql) => leftovers(sql, BATCH))
      if (left.length === 0) break
      for (const one of left) {
        ctx.signal.throwIfAborted()
        const gone = await removeSegment(parts, ctx, one)
        removed.chunks += gone.chunks
        removed.vectors += gone.vectors
      }
      for (const document of new Set(left.filter((one) => one.removed).map((one) => one.document))) {
        // Further batches of it may follow.
        if (left.length === BATCH && left.at(-1)!.document === document) continue
        await ctx.sql((sql) => forgetDocument(sql, document))
        say(ctx, 'document:swept', { documentId: document, ...removed }, SCOPE)
      }
    }
    removed.blobs = await ctx.sql(async (sql) => {
      await dropOldUploads(sql, ctx.now() - UPLOAD_KEPT_MS, ctx.now())
      return await dropUnusedBlobs(sql, ctx.now())
    })
    await removeObjects(parts, ctx)
    await proveNothingIsLeft(ctx)
    return removed
  })
}

async function removeSegment(
  parts: KnowledgeParts,
  ctx: RunContext,
  { segment, collection }: Leftover,
): Promise<{ chunks: number; vectors: number }> {
  const { vectors } = parts
  const part = { collection, segment }
  if (vectors.transactional)
    return await ctx.sql(async (sql) => {
      const there = await vectors.count(sql, part)
      await vectors.drop(sql, part)
      return { chunks: await dropSegment(sql, segment), vectors: there }
    })
  // The row goes last: a crash in between leaves what says that there is more to do.
  const there = await vectors.count(ctx.tenant, part)
  await vectors.drop(ctx.tenant, part)
  return { chunks: await ctx.sql((sql) => dropSegment(sql, segment)), vectors: there }
}

async function removeObjects({ objects }: KnowledgeParts, ctx: RunContext): Promise<void> {
  for (;;) {
    const names = await ctx.sql((sql) => objectsToRemove(sql, BATCH))
    if (names.length === 0) return
    for (const name of names) await objects.remove(name)
    await ctx.sql((sql) => objectsRemoved(sql, names))
  }
}

async function proveNothingIsLeft(ctx: RunContext): Promise<void> {
  const left = await ctx.sql((sql) => orphans(sql))
  if (left > 0) throw new WaggleError('INTERNAL', { reason: `${left} rows belong to no document.` })
}
