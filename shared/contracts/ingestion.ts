import { z } from 'zod'
import { contract, spawned, tell } from '#shared/actor/contract.ts'
import {
  CollectionName,
  CollectionSettings,
  CuratedText,
  DocumentLabels,
  DocumentSource,
  EmbedderSettings,
} from './knowledge.ts'

/** The bucket of the object store that holds what was uploaded. */
export const BLOBS = 'BLOBS'

/** Content that lies in the object store: its objects in order. */
export const StoredContent = z.object({
  /** SHA-256, hex. */
  hash: z.string().length(64),
  parts: z.array(z.string().max(200)).min(1).max(100_000),
  bytes: z.number().int().nonnegative(),
})
export type StoredContent = z.infer<typeof StoredContent>

export const AddDocument = z.object({
  /** Of the document; the id of one that is there gives it another version. */
  documentId: z.string().max(64),
  collection: CollectionName,
  source: DocumentSource,
  /** What the sender says it is. */
  mime: z.string().max(200),
  labels: DocumentLabels,
  /** Null: it is read from the source's address. */
  content: StoredContent.nullable(),
  /** Milliseconds after which the address is read again; null: never. */
  recrawlMs: z.number().int().min(1_000).nullable(),
})
export type AddDocument = z.infer<typeof AddDocument>

export const DocumentReceipt = z.object({
  documentId: z.string(),
  version: z.number().int(),
  /** The same content was here before, and nothing is done. */
  duplicate: z.boolean(),
})
export type DocumentReceipt = z.infer<typeof DocumentReceipt>

/** What is not given stays as it is. */
export const ConfigureCollection = z.object({
  id: CollectionName,
  title: z.string().max(200).exactOptional(),
  description: z.string().max(2_000).exactOptional(),
  settings: CollectionSettings.exactOptional(),
})

/** What is not given stays as it is. */
export const LabelChange = z.object({
  title: DocumentLabels.shape.title.unwrap().exactOptional(),
  tags: DocumentLabels.shape.tags.unwrap().exactOptional(),
  metadata: DocumentLabels.shape.metadata.unwrap().exactOptional(),
  access: DocumentLabels.shape.access.unwrap().exactOptional(),
})

const Named = z.object({ documentId: z.string().max(64) })
const fails = ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'BAD_INPUT', 'TENANT_BUSY'] as const

/**
 * What changes a tenant's knowledge; key: `main`. One writer for a tenant: what is queued, what is at work and what is to
 * be removed is decided here, one after another. Reading, cutting and embedding are its child runs.
 */
export const Ingestion = contract('ingestion', {
  createCollection: tell(
    z.object({
      id: CollectionName,
      title: z.string().max(200),
      description: z.string().max(2_000),
      settings: CollectionSettings,
    }),
    { fails },
  ),
  configureCollection: tell(ConfigureCollection, { fails }),
  removeCollection: tell(z.object({ id: CollectionName }), { fails }),
  add: tell(AddDocument, { fails, begins: true }),
  /** A large file in parts: `document` is what it becomes. */
  beginUpload: tell(
    z.object({ uploadId: z.string().max(64), bytes: z.number().int().positive(), document: AddDocument }),
    { fails },
  ),
  addPart: tell(
    z.object({
      uploadId: z.string().max(64),
      offset: z.number().int().nonnegative(),
      object: z.string().max(200),
      bytes: z.number().int().positive(),
    }),
    { fails },
  ),
  endUpload: tell(z.object({ uploadId: z.string().max(64), hash: z.string().length(64) }), { fails, begins: true }),
  abandonUpload: tell(z.object({ uploadId: z.string().max(64) }), { fails }),
  relabel: tell(Named.extend({ labels: LabelChange }), { fails }),
  remove: tell(Named, { fails }),
  cancel: tell(Named, { fails }),
  /** Once more, from where a failed or cancelled version stopped. */
  retry: tell(Named, { fails }),
  /** Cuts and embeds all documents anew, beside what is found now; or goes back to an older generation. */
  reindex: tell(
    z.object({ collection: CollectionName, embedder: EmbedderSettings.optional(), fitted: z.boolean().default(false) }),
    { fails },
  ),
  /** From the desk: what a person answered to a question of a conversation. */
  curate: tell(CuratedText.extend({ collection: CollectionName, itemId: z.string().max(120) }), { fails }),
  rollback: tell(z.object({ collection: CollectionName, generation: z.number().int().positive() }), { fails }),
})

/** One version of a document, from bytes to an index. Key: document, version. */
export const Ingest = spawned(
  'ingest',
  z.object({ documentId: z.string(), version: z.number().int() }),
  z.object({ chunks: z.number().int(), pages: z.number().int() }),
  {
    within: '2h',
    fails: [
      'DOCUMENT_UNREADABLE',
      'DOCUMENT_TYPE',
      'DOCUMENT_TOO_LARGE',
      'DOCUMENT_TOO_SLOW',
      'MEDIA_TOOL_MISSING',
      'ADDRESS_REFUSED',
      'NOT_FOUND',
    ],
  },
)

/** Vectors of a collection by another embedder, beside those in use. Key: collection, generation. */
export const BuildGeneration = spawned(
  'build-generation',
  z.object({ collection: CollectionName, generation: z.number().int() }),
  z.object({ chunks: z.number().int(), adopted: z.boolean(), reason: z.string() }),
  { within: '6h' },
)

/** What is left of removed documents and old versions, until nothing is. Key: when it began. */
export const Sweep = spawned(
  'sweep',
  z.object({}),
  z.object({ chunks: z.number().int(), vectors: z.number().int(), blobs: z.number().int() }),
  { within: '1h' },
)
