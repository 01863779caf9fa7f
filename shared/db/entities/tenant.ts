import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A customer of the platform; everything else belongs to one. */
export const TenantEntity = defineEntity({
  name: 'Tenant',
  tableName: 'tenants',
  properties: {
    tenant: p.text().primary(),
    name: p.text(),
    status: p.enum(['active', 'disabled']).default('active'),
    settings: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    configVersion: p.bigint('number').default(1),
    createdAt: p.datetime().defaultRaw('now()'),
  },
})
export type TenantEntity = InferEntity<typeof TenantEntity>
