import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A message that could not be handled (I13). */
export const DeadLetterEntity = defineEntity({
  name: 'DeadLetter',
  tableName: 'dead_letters',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    subject: p.text(),
    /** Made of the subject by the database. */
    kind: p.text().persist(false),
    payload: p.blob(),
    code: p.text(),
    message: p.text(),
    attempts: p.integer(),
    history: p.json<unknown[]>().columnType('json'),
    trace: p.text(),
    at: p.bigint('number'),
    state: p.enum(['buried', 'replayed', 'discarded']).default('buried'),
    decidedBy: p.text().nullable(),
    decidedAt: p.bigint('number').nullable(),
  },
})
export type DeadLetterEntity = InferEntity<typeof DeadLetterEntity>
