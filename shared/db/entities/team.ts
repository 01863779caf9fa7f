import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** People who answer conversations together, from one queue. */
export const TeamEntity = defineEntity({
  name: 'Team',
  tableName: 'teams',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    name: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
})
export type TeamEntity = InferEntity<typeof TeamEntity>
