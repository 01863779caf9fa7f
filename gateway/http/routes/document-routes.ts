import { z } from 'zod'
import { Ingestion, LabelChange } from '#shared/contracts/ingestion.ts'
import type { AddDocument, DocumentReceipt } from '#shared/contracts/ingestion.ts'
import {
  ChunkPreview,
  ChunkSettings,
  CollectionName,
  DocumentLabels,
  DocumentSummary,
  Knowledge,
  PassageView,
} from '#shared/contracts/knowledge.ts'
import type { Reach } from '#shared/actor/ref.ts'
import { newId } from '#shared/lib/ids.ts'
import type { ObjectBucket } from '#shared/transport/port.ts'
import { storeContent } from '#shared/transport/store-content.ts'
import { requireRole } from '#gateway/auth/roles.ts'
import { MAX_FILE_BYTES } from '../received.ts'
import { Id, Named, Page, next, pageOf } from '../route-parts.ts'
import { route } from '../route.ts'
import type { Call, Route } from '../route.ts'

const WITHIN = '10s'
const tag = 'knowledge'

/** In a form every field is text: lists are separated by commas, metadata is a JSON object. */
const listed = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)
const FormFields = z.object({
  collection: CollectionName.describe('The collection it goes into.'),
  id: Id.optional().describe('Of a document that is to get another version.'),
  title: z.string().max(300).optional(),
  tags: listed.optional(),
  access: listed.optional().describe('user:… and role:… who may find it; none: everybody of the tenant.'),
  metadata: z
    .string()
    .transform((text, context) => {
      try {
        return z.record(z.string(), z.string()).parse(JSON.parse(text))
      } catch {
        context.addIssue({ code: 'custom', message: 'a JSON object of texts' })
        return z.NEVER
      }
    })
    .optional(),
})
const UrlBody = z.object({
  collection: CollectionName,
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  id: Id.optional(),
  ...DocumentLabels.partial().shape,
  recrawlMs: z
    .number()
    .int()
    .min(60_000)
    .nullable()
    .default(null)
    .describe('The address is read again after this; null: never.'),
})
const Receipt = z.object({ documentId: z.string(), version: z.number().int(), duplicate: z.boolean() })

/** Documents of a tenant's knowledge: given, read, listed, removed. */
export function documentRoutes(objects: ObjectBucket): readonly Route[] {
  const upload = (path: string, id: string, summary: string): Route =>
    route({
      method: 'POST',
      path,
      id,
      tag,
      status: 202,
      summary,
      receives: 'form',
      body: FormFields,
      response: Receipt,
      handle: (call) => addUpload(objects, call as Call),
    })
  return [
    upload(
      '/documents',
      'addDocument',
      `A file, up to ${MAX_FILE_BYTES / 1_048_576} MiB; it is read afterwards, and its state says how far that is.`,
    ),
    upload('/ingest/document', 'ingestDocument', 'The same as POST /documents.'),
    upload('/ingest/image', 'ingestImage', 'A picture: its text is recognised.'),
    upload('/ingest/video', 'ingestVideo', 'A video: subtitles, and the text on its frames; needs ffmpeg.'),
    route({
      method: 'POST',
      path: '/ingest/url',
      id: 'ingestUrl',
      tag,
      status: 202,
      summary: 'The page or file at a public address, once or again and again.',
      body: UrlBody,
      response: Receipt,
      handle: async ({ principal, reach, body }) => {
        requireRole(principal, 'operator')
        const { collection, url, id, recrawlMs, ...labels } = body
        return await add(reach, {
          documentId: id ?? newId(),
          collection,
          source: { kind: 'url', url },
          mime: '',
          labels: DocumentLabels.parse(labels),
          content: null,
          recrawlMs,
        })
      },
    }),
    route({
      method: 'GET',
      path: '/documents',
      id: 'listDocuments',
      tag,
      summary: 'Documents, the newest first, each with the state of its last version.',
      query: Page.extend({ collection: CollectionName.optional() }),
      response: z.object({ documents: z.array(DocumentSummary), next }),
      handle: ({ reach, query }) =>
        reach.pool(Knowledge, 'main').ask('documents', { ...pageOf(query), collection: query.collection ?? null }),
    }),
    route({
      method: 'GET',
      path: '/documents/{id}',
      id: 'getDocument',
      tag,
      summary: 'One document: its state, pages read, chunks, and why it failed if it did.',
      params: Named,
      response: DocumentSummary,
      handle: ({ reach, params }) => reach.pool(Knowledge, 'main').ask('document', { id: params.id }),
    }),
    route({
      method: 'DELETE',
      path: '/documents/{id}',
      id: 'removeDocument',
      tag,
      status: 202,
      summary: 'Nobody finds it from now on; what is left of it is removed afterwards.',
      params: Named,
      response: z.object({}),
      handle: ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        return reach.ref(Ingestion, 'main').confirm('remove', { documentId: params.id }, { within: WITHIN })
      },
    }),
    route({
      method: 'PUT',
      path: '/documents/{id}/labels',
      id: 'labelDocument',
      tag,
      summary: 'Title, tags, metadata and access; what is not given stays.',
      params: Named,
      body: LabelChange,
      response: z.object({}),
      handle: ({ principal, reach, params, body }) => {
        requireRole(principal, 'operator')
        return reach
          .ref(Ingestion, 'main')
          .confirm('relabel', { documentId: params.id, labels: body }, { within: WITHIN })
      },
    }),
    ...(['cancel', 'retry'] as const).map((verb) =>
      route({
        method: 'POST',
        path: `/documents/{id}/${verb}`,
        id: `${verb}Document`,
        tag,
        summary:
          verb === 'cancel'
            ? 'Stops reading it. What is read is kept.'
            : 'Reads it again from where a failed or cancelled try stopped.',
        params: Named,
        response: z.looseObject({}),
        handle: ({ principal, reach, params }) => {
          requireRole(principal, 'operator')
          return reach.ref(Ingestion, 'main').confirm(verb, { documentId: params.id }, { within: WITHIN })
        },
      }),
    ),
    route({
      method: 'GET',
      path: '/documents/{id}/chunks',
      id: 'listChunks',
      tag,
      summary: 'How it is cut: a hundred chunks from an ordinal on.',
      params: Named,
      query: z.object({ from: z.coerce.number().int().min(0).default(0) }),
      response: z.object({ chunks: z.array(ChunkPreview) }),
      handle: ({ reach, params, query }) =>
        reach.pool(Knowledge, 'main').ask('chunks', { id: params.id, from: query.from }),
    }),
    route({
      method: 'POST',
      path: '/documents/{id}/preview',
      id: 'previewChunks',
      tag,
      summary: 'How it would be cut by other settings; nothing is changed.',
      params: Named,
      body: ChunkSettings,
      response: z.object({ chunks: z.array(ChunkPreview), total: z.number().int() }),
      handle: ({ reach, params, body }) =>
        reach.pool(Knowledge, 'main').ask('preview', { id: params.id, chunks: body }),
    }),
    route({
      method: 'GET',
      path: '/documents/{id}/versions/{version}/passage',
      id: 'getPassage',
      tag,
      summary: 'What a citation points at, with the text around it and its place on the page.',
      params: Named.extend({ version: z.coerce.number().int().positive() }),
      query: z.object({ start: z.coerce.number().int().min(0), end: z.coerce.number().int().min(1) }),
      response: PassageView,
      handle: ({ reach, params: { id, version }, query }) =>
        reach.pool(Knowledge, 'main').ask('passage', { documentId: id, version, ...query }),
    }),
  ]
}

async function addUpload(objects: ObjectBucket, { principal, reach, received }: Call): Promise<DocumentReceipt> {
  requireRole(principal, 'operator')
  const { name, mime, content, fields } = received!
  const stored = await storeContent(objects, principal.tenant, content, MAX_FILE_BYTES)
  try {
    const { id, collection, ...labels } = fields() as z.infer<typeof FormFields>
    return await add(reach, {
      documentId: id ?? newId(),
      collection,
      source: { kind: 'upload', name: name.slice(-300) },
      mime,
      labels: DocumentLabels.parse(labels),
      content: stored,
      recrawlMs: null,
    })
  } catch (error) {
    // Refused: nobody will ask for it.
    await Promise.all(stored.parts.map((part) => objects.remove(part)))
    throw error
  }
}

export async function add(reach: Reach, request: AddDocument): Promise<DocumentReceipt> {
  const receipt = await reach.ref(Ingestion, 'main').confirm('add', request, { id: `add-${newId()}`, within: WITHIN })
  return Receipt.parse(receipt)
}
