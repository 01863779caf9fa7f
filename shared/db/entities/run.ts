import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A child of an actor; written by the runtime, read by the tenant. */
export const RunEntity = defineEntity({
  name: 'Run',
  tableName: 'runs',
  properties: {
    tenant: p.text().primary(),
    kind: p.text().primary(),
    key: p.text().primary(),
    parentKind: p.text(),
    parentKey: p.text(),
    partition: p.integer(),
    state: p.enum(['running', 'waiting', 'done', 'failed', 'stopped']),
    attempt: p.integer(),
    restarts: p.json<number[]>().columnType('json').defaultRaw("'[]'"),
    deadline: p.bigint('number'),
    envelope: p.blob(),
    result: p.json<unknown>().columnType('json').nullable(),
    error: p.json<unknown>().columnType('json').nullable(),
    startedAt: p.datetime().defaultRaw('now()'),
    changedAt: p.datetime().defaultRaw('now()'),
  },
})
export type RunEntity = InferEntity<typeof RunEntity>
