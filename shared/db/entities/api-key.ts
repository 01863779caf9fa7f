import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A key for programs; only its SHA-256 is stored. */
export const ApiKeyEntity = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    userId: p.text(),
    name: p.text(),
    hash: p.blob(),
    prefix: p.text(),
    roles: p.array().columnType('text[]').defaultRaw("'{}'"),
    scopes: p.array().columnType('text[]').defaultRaw("'{}'"),
    createdAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().nullable(),
  },
})
export type ApiKeyEntity = InferEntity<typeof ApiKeyEntity>
