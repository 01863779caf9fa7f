import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** One content of a document: a segment of the index. */
export const DocumentVersionEntity = defineEntity({
  name: 'DocumentVersion',
  tableName: 'document_versions',
  properties: {
    tenant: p.text().primary(),
    document: p.text().primary(),
    version: p.integer().primary(),
    segment: p.bigint('number').generated('identity'),
    hash: p.text().nullable(),
    bytes: p.bigint('number').default(0),
    name: p.text().default(''),
    mime: p.text().default(''),
    state: p.enum(['queued', 'fetching', 'parsing', 'ocr', 'chunking', 'embedding', 'ready', 'failed', 'cancelled']),
    cause: p.json<Record<string, unknown>>().nullable(),
    pagesDone: p.integer().default(0),
    pagesTotal: p.integer().nullable(),
    chunks: p.integer().default(0),
    length: p.double().default(0),
    tokens: p.integer().default(0),
    language: p.text().default(''),
    languages: p.array().defaultRaw("'{}'"),
    createdAt: p.bigint('number'),
    changedAt: p.bigint('number'),
    readyAt: p.bigint('number').nullable(),
  },
})
export type DocumentVersionEntity = InferEntity<typeof DocumentVersionEntity>
