import { z } from 'zod'
import { Failure, id, spec } from './event-spec.ts'

export const DocumentState = z.enum([
  'queued',
  'fetching',
  'parsing',
  'ocr',
  'chunking',
  'embedding',
  'ready',
  'failed',
  'cancelled',
])
export type DocumentState = z.infer<typeof DocumentState>

/** Why a version could not be read, and on which page. */
export const DocumentFailure = Failure.extend({ reason: z.string(), page: z.number().int().nullable() })
export type DocumentFailure = z.infer<typeof DocumentFailure>

/** What becomes of documents. The scope of these is `knowledge`, one for a tenant. */
export const KNOWLEDGE_EVENTS = {
  'document:progress': spec(
    'ops',
    'A version of a document reached a state, or got a good deal further in it.',
    z.object({
      documentId: id,
      version: z.number().int(),
      collection: z.string(),
      title: z.string(),
      state: DocumentState,
      pagesDone: z.number().int(),
      pagesTotal: z.number().int().nullable(),
      chunks: z.number().int(),
      error: DocumentFailure.nullable(),
    }),
  ),
  'document:removed': spec(
    'ops',
    'A document is hidden from everybody; what is left of it is being removed.',
    z.object({ documentId: id, collection: z.string(), title: z.string(), by: z.string() }),
  ),
  'document:swept': spec(
    'ops',
    'Nothing of a removed document, or of the old versions of one, is left.',
    z.object({ documentId: id, chunks: z.number().int(), vectors: z.number().int(), blobs: z.number().int() }),
  ),
  'answer:curated': spec(
    'ops',
    'What a person wrote at the desk is said from now on to whoever asks the same.',
    z.object({ answerId: id, collection: z.string(), itemId: id, by: z.string() }),
  ),
  'index:built': spec(
    'ops',
    'A generation of vectors was built beside the one in use, and is used now or was not adopted.',
    z.object({
      collection: z.string(),
      generation: z.number().int(),
      embedder: z.string(),
      chunks: z.number().int(),
      adopted: z.boolean(),
      reason: z.string(),
    }),
  ),
} as const
