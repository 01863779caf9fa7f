import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A person of a team: what they can do, and for how many at the same time. */
export const TeamMemberEntity = defineEntity({
  name: 'TeamMember',
  tableName: 'team_members',
  properties: {
    tenant: p.text().primary(),
    teamId: p.text().primary(),
    userId: p.text().primary(),
    skills: p.array().columnType('text[]').defaultRaw("'{}'"),
    capacity: p.integer().default(3),
  },
})
export type TeamMemberEntity = InferEntity<typeof TeamMemberEntity>
