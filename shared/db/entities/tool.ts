import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Something an agent can do, as data. */
export const ToolEntity = defineEntity({
  name: 'Tool',
  tableName: 'tools',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    title: p.text(),
    description: p.text(),
    examples: p.json<string[]>().defaultRaw("'[]'"),
    kind: p.enum(['http_get', 'http_post', 'builtin']),
    parameters: p.json<Record<string, unknown>>().defaultRaw(`'{"type": "object", "properties": {}}'`),
    url: p.text().default(''),
    headers: p.json<Record<string, string>>().defaultRaw("'{}'"),
    auth: p.enum(['none', 'user_token', 'secret']).default('none'),
    secretId: p.text().nullable(),
    outputTemplate: p.text().default(''),
    timeoutMs: p.integer().default(10_000),
    maxResultBytes: p.integer().default(65_536),
    idempotent: p.boolean().default(false),
    keyHeader: p.text().nullable(),
    needsApproval: p.boolean().default(false),
    approval: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    trusted: p.boolean().default(false),
    enabled: p.boolean().default(true),
    version: p.integer().default(1),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
})
export type ToolEntity = InferEntity<typeof ToolEntity>
