import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A stored token, sealed. */
export const SecretEntity = defineEntity({
  name: 'Secret',
  tableName: 'secrets',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    sealed: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    changedAt: p.datetime().defaultRaw('now()'),
  },
})
export type SecretEntity = InferEntity<typeof SecretEntity>
