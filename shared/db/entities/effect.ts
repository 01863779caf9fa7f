import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** An outside effect in the ledger (I3); written by the runtime, read by the tenant. */
export const EffectEntity = defineEntity({
  name: 'Effect',
  tableName: 'effects',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    run: p.text(),
    tool: p.text(),
    argsHash: p.text(),
    repeatable: p.boolean(),
    status: p.enum(['intended', 'done', 'failed', 'unknown']),
    result: p.json<unknown>().columnType('json').nullable(),
    intendedAt: p.datetime().defaultRaw('now()'),
    settledAt: p.datetime().nullable(),
  },
})
export type EffectEntity = InferEntity<typeof EffectEntity>
