import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Who did what. Append-only. */
export const AuditEntryEntity = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_log',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    at: p.datetime().defaultRaw('now()'),
    principal: p.text(),
    action: p.text(),
    subject: p.text(),
    details: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
  },
})
export type AuditEntryEntity = InferEntity<typeof AuditEntryEntity>
