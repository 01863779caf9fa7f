import type { AddDocument, DocumentReceipt } from '#shared/contracts/ingestion.ts'
import type { DocumentLabels } from '#shared/contracts/knowledge.ts'
import { say } from '#shared/contracts/say.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { keepBlob, removeObjects } from '#shared/db/repositories/knowledge/blobs.ts'
import { collectionById } from '#shared/db/repositories/knowledge/collections.ts'
import {
  documentWithContent,
  dueAddresses,
  hideDocument,
  insertVersion,
  latestVersion,
  relabelDocument,
  saveDocument,
} from '#shared/db/repositories/knowledge/documents.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { enqueue, remindOfAddresses, settle, withdraw } from './queue.ts'
import { SCOPE } from './state.ts'
import type { Ctx } from './state.ts'
import { sweepSoon } from './sweeps.ts'

interface Named {
  readonly documentId: string
}

/**
 * Takes a document, or another version of one. The same content in the same collection is not taken twice: only ever compared
 * within the tenant, for a shared answer would tell who has what.
 */
export async function add(ctx: Ctx, request: AddDocument): Promise<DocumentReceipt> {
  const by = requireStaff(ctx, 'Changing knowledge is')
  const { documentId, collection, source, labels, content, recrawlMs } = request
  const sql = await ctx.sql()
  if ((await collectionById(sql, collection)) === null) throw refuse('NOT_FOUND', { collection })
  const before = await latestVersion(sql, documentId)
  if (before !== null && before.collection !== collection)
    throw refuse('CONFLICT', { document: documentId, collection: before.collection })
  if (content !== null) {
    const same = await documentWithContent(sql, collection, content.hash)
    if (same !== null) {
      await removeObjects(sql, content.parts, ctx.now)
      sweepSoon(ctx)
      return { documentId: same.id, version: same.version, duplicate: true }
    }
    await keepBlob(sql, content, ctx.now)
  }
  await saveDocument(sql, { id: documentId, collection, source, labels, recrawlMs, by }, ctx.now)
  const version = await insertVersion(
    sql,
    documentId,
    {
      hash: content?.hash ?? null,
      bytes: content?.bytes ?? 0,
      name: source.kind === 'upload' ? source.name : source.url,
      mime: request.mime,
    },
    ctx.now,
  )
  withdraw(ctx, documentId, 'A newer version was given.')
  enqueue(ctx, documentId, version)
  await settle(ctx, sql, { documentId, version }, { state: 'queued' })
  return { documentId, version, duplicate: false }
}

export async function relabel(
  ctx: Ctx,
  { documentId, labels }: Named & { readonly labels: Partial<DocumentLabels> },
): Promise<object> {
  requireStaff(ctx, 'Changing knowledge is')
  if (!(await relabelDocument(await ctx.sql(), documentId, labels, ctx.now)))
    throw refuse('NOT_FOUND', { document: documentId })
  return {}
}

/** Nobody finds it from this commit on. What is left of it is removed afterwards, as often as that takes. */
export async function remove(ctx: Ctx, { documentId }: Named): Promise<object> {
  const by = requireStaff(ctx, 'Changing knowledge is')
  const hidden = await hideDocument(await ctx.sql(), documentId, ctx.now)
  if (hidden === null) throw refuse('NOT_FOUND', { document: documentId })
  withdraw(ctx, documentId, 'The document was removed.')
  say(ctx, 'document:removed', { documentId, ...hidden, by }, SCOPE)
  sweepSoon(ctx)
  return {}
}

/** Stops reading it. Pages that are read are kept for `retry`. */
export async function cancel(ctx: Ctx, { documentId }: Named): Promise<object> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const version = await latestVersion(sql, documentId)
  if (version === null) throw refuse('NOT_FOUND', { document: documentId })
  const { atWork } = ctx.state
  if (!withdraw(ctx, documentId, 'Somebody cancelled it.'))
    throw refuse('CONFLICT', { document: documentId, state: version.state })
  // A run at work says so itself when it has stopped.
  if (!atWork.some((one) => one.documentId === documentId))
    await settle(ctx, sql, { documentId, version: version.version }, { state: 'cancelled' })
  return {}
}

export async function retry(
  ctx: Ctx,
  { documentId }: Named,
): Promise<{ readonly documentId: string; readonly version: number }> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const version = await latestVersion(sql, documentId)
  if (version === null) throw refuse('NOT_FOUND', { document: documentId })
  if (version.state !== 'failed' && version.state !== 'cancelled')
    throw refuse('CONFLICT', { document: documentId, state: version.state })
  enqueue(ctx, documentId, version.version)
  await settle(ctx, sql, { documentId, version: version.version }, { state: 'queued' })
  return { documentId, version: version.version }
}

/** Addresses whose time has come are read again: another version of each, which is dropped when nothing has changed. */
export async function recrawl(ctx: Ctx): Promise<void> {
  const sql = await ctx.sql()
  for (const { id, url } of await dueAddresses(sql, ctx.now, ADDRESSES_AT_ONCE)) {
    const version = await insertVersion(sql, id, { hash: null, bytes: 0, name: url, mime: '' }, ctx.now)
    enqueue(ctx, id, version)
  }
  await remindOfAddresses(ctx, sql)
}

const ADDRESSES_AT_ONCE = 100
