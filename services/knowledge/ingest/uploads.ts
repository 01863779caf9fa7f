import type { InputOf } from '#shared/actor/ref.ts'
import { AddDocument } from '#shared/contracts/ingestion.ts'
import type { DocumentReceipt, Ingestion } from '#shared/contracts/ingestion.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { removeObjects } from '#shared/db/repositories/knowledge/blobs.ts'
import { collectionById } from '#shared/db/repositories/knowledge/collections.ts'
import { insertUpload, receivePart, removeUpload, uploadById } from '#shared/db/repositories/knowledge/uploads.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { add } from './documents.ts'
import type { Ctx } from './state.ts'
import { sweepSoon } from './sweeps.ts'

type Messages = (typeof Ingestion)['messages']

/** A large file in parts: what is received is kept, so that whoever was cut off goes on from there. */
export async function beginUpload(
  ctx: Ctx,
  { uploadId, bytes, document }: InputOf<Messages['beginUpload']>,
): Promise<{ readonly uploadId: string; readonly received: number }> {
  const createdBy = requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const { collection, source } = document
  if ((await collectionById(sql, collection)) === null) throw refuse('NOT_FOUND', { collection })
  const name = source.kind === 'upload' ? source.name : ''
  await insertUpload(sql, { id: uploadId, name, bytes, request: document, createdBy }, collection, ctx.now)
  ctx.remind('sweep', ctx.now + UPLOAD_KEPT_MS)
  return { uploadId, received: 0 }
}

/** What was sent of a file that nobody went on with is kept this long. */
export const UPLOAD_KEPT_MS = 24 * 3_600_000

export async function addPart(
  ctx: Ctx,
  { uploadId, offset, object, bytes }: InputOf<Messages['addPart']>,
): Promise<{ readonly uploadId: string; readonly received: number }> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const upload = await uploadById(sql, uploadId)
  if (upload === null) throw refuse('NOT_FOUND', { upload: uploadId })
  if (!(await receivePart(sql, uploadId, offset, object, bytes)))
    throw refuse('CONFLICT', { upload: uploadId, received: upload.received, bytes: upload.bytes })
  return { uploadId, received: offset + bytes }
}

export async function endUpload(
  ctx: Ctx,
  { uploadId, hash }: InputOf<Messages['endUpload']>,
): Promise<DocumentReceipt> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const upload = await uploadById(sql, uploadId)
  if (upload === null) throw refuse('NOT_FOUND', { upload: uploadId })
  const { parts, bytes, received, request } = upload
  if (received < bytes) throw refuse('CONFLICT', { upload: uploadId, received, bytes })
  await removeUpload(sql, uploadId)
  return await add(ctx, AddDocument.parse({ ...request, content: { hash, parts, bytes } }))
}

export async function abandonUpload(ctx: Ctx, { uploadId }: InputOf<Messages['abandonUpload']>): Promise<object> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const upload = await uploadById(sql, uploadId)
  if (upload === null) throw refuse('NOT_FOUND', { upload: uploadId })
  await removeUpload(sql, uploadId)
  await removeObjects(sql, upload.parts, ctx.now)
  sweepSoon(ctx)
  return {}
}
