import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A page as it was read. */
export const DocumentPageEntity = defineEntity({
  name: 'DocumentPage',
  tableName: 'document_pages',
  properties: {
    tenant: p.text().primary(),
    document: p.text().primary(),
    version: p.integer().primary(),
    page: p.integer().primary(),
    begins: p.integer(),
    text: p.text(),
    blocks: p.json<unknown[]>().columnType('json'),
    width: p.float().columnType('real'),
    height: p.float().columnType('real'),
    ocr: p.boolean(),
  },
})
export type DocumentPageEntity = InferEntity<typeof DocumentPageEntity>
