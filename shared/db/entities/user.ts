import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A person or a program of a tenant. */
export const UserEntity = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    name: p.text(),
    email: p.text().nullable(),
    roles: p.array().columnType('text[]').defaultRaw("'{}'"),
    status: p.enum(['active', 'disabled']).default('active'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
})
export type UserEntity = InferEntity<typeof UserEntity>
