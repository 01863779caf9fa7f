import { createHash } from 'node:crypto'
import { z } from 'zod'
import { Ingestion } from '#shared/contracts/ingestion.ts'
import { CollectionName, DocumentLabels, Knowledge } from '#shared/contracts/knowledge.ts'
import type { Reach } from '#shared/actor/ref.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { newId } from '#shared/lib/ids.ts'
import type { ObjectBucket } from '#shared/transport/port.ts'
import { storeContent } from '#shared/transport/store-content.ts'
import { requireRole } from '#gateway/auth/roles.ts'
import { Id, Named } from '../route-parts.ts'
import { route } from '../route.ts'
import type { Route } from '../route.ts'

/** One part: small enough to be sent again without sorrow. */
export const PART_BYTES = 8 * 1024 * 1024
/** A whole file in parts; what is larger than the reader takes fails there, with its reason. */
const MAX_UPLOAD_BYTES = 2 * 1024 * 1024 * 1024
const WITHIN = '10s'
const tag = 'knowledge'

const UploadState = z.object({ uploadId: z.string(), received: z.number(), bytes: z.number(), partBytes: z.number() })

/** A large file in parts that can be gone on with, on any gateway: ask how much is there, send what comes next. */
export function uploadRoutes(objects: ObjectBucket): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/uploads',
      id: 'beginUpload',
      tag,
      status: 201,
      summary: 'Begins a file that is sent in parts.',
      body: z.object({
        collection: CollectionName,
        name: z.string().min(1).max(300),
        bytes: z.number().int().min(1).max(MAX_UPLOAD_BYTES),
        mime: z.string().max(200).default(''),
        id: Id.optional().describe('Of a document that is to get another version.'),
        ...DocumentLabels.partial().shape,
      }),
      response: UploadState,
      handle: async ({ principal, reach, body }) => {
        requireRole(principal, 'operator')
        const { collection, name, bytes, mime, id, ...labels } = body
        const uploadId = newId()
        const document = {
          documentId: id ?? newId(),
          collection,
          source: { kind: 'upload' as const, name },
          mime,
          labels: DocumentLabels.parse(labels),
          content: null,
          recrawlMs: null,
        }
        await reach.ref(Ingestion, 'main').confirm('beginUpload', { uploadId, bytes, document }, { within: WITHIN })
        return { uploadId, received: 0, bytes, partBytes: PART_BYTES }
      },
    }),
    route({
      method: 'GET',
      path: '/uploads/{id}',
      id: 'getUpload',
      tag,
      summary: 'How much of it has been received: the offset of the part that comes next.',
      params: Named,
      response: UploadState,
      handle: async ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        const { received, bytes } = await uploadOf(reach, params.id)
        return { uploadId: params.id, received, bytes, partBytes: PART_BYTES }
      },
    }),
    route({
      method: 'PUT',
      path: '/uploads/{id}/parts/{offset}',
      id: 'addPart',
      tag,
      summary: `The bytes from an offset on, at most ${PART_BYTES}; CONFLICT says which offset comes next.`,
      params: Named.extend({ offset: z.string().regex(/^\d{1,12}$/) }),
      receives: 'bytes',
      response: z.object({ uploadId: z.string(), received: z.number() }),
      handle: async ({ principal, reach, params, received }) => {
        requireRole(principal, 'operator')
        const offset = Number(params.offset)
        const upload = await uploadOf(reach, params.id)
        if (offset !== upload.received) throw refuse('CONFLICT', { upload: params.id, received: upload.received })
        const stored = await storeContent(objects, principal.tenant, received!.content, PART_BYTES)
        try {
          const part = { uploadId: params.id, offset, object: stored.parts[0]!, bytes: stored.bytes }
          return await reach.ref(Ingestion, 'main').confirm('addPart', part, { within: WITHIN })
        } catch (error) {
          await objects.remove(stored.parts[0]!)
          throw error
        }
      },
    }),
    route({
      method: 'POST',
      path: '/uploads/{id}/complete',
      id: 'endUpload',
      tag,
      status: 202,
      summary: 'All of it is there: it becomes a document.',
      params: Named,
      response: z.object({ documentId: z.string(), version: z.number().int(), duplicate: z.boolean() }),
      handle: async ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        const { parts, received, bytes } = await uploadOf(reach, params.id)
        if (received < bytes) throw refuse('CONFLICT', { upload: params.id, received, bytes })
        const hash = await hashOfParts(objects, parts)
        return await reach
          .ref(Ingestion, 'main')
          .confirm('endUpload', { uploadId: params.id, hash }, { within: WITHIN })
      },
    }),
    route({
      method: 'DELETE',
      path: '/uploads/{id}',
      id: 'abandonUpload',
      tag,
      summary: 'Nothing comes of it; what was sent is removed.',
      params: Named,
      response: z.object({}),
      handle: ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        return reach.ref(Ingestion, 'main').confirm('abandonUpload', { uploadId: params.id }, { within: WITHIN })
      },
    }),
  ]
}

function uploadOf(reach: Reach, id: string): Promise<{ received: number; bytes: number; parts: string[] }> {
  return reach.pool(Knowledge, 'main').ask('upload', { id })
}

async function hashOfParts(objects: ObjectBucket, parts: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const part of parts) {
    const content = await objects.get(part)
    if (content === null) throw refuse('NOT_FOUND', { part })
    for await (const piece of content) hash.update(piece)
  }
  return hash.digest('hex')
}
