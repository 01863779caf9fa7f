import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { ToolEntity } from '../entities/tool.ts'
import { entityManager } from '../orm.ts'
import { storableJson } from '../storable.ts'
import { configChanged } from './tenants.ts'

/** Something an agent can do. */
export interface Tool {
  /** Its name in subjects and for models. */
  readonly id: string
  readonly title: string
  readonly description: string
  readonly examples: readonly string[]
  readonly kind: 'http_get' | 'http_post' | 'builtin'
  /** JSON Schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** A template: {name} is an argument. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Nothing; the token of the user, injected (I14); or the tenant's secret named by `secretId`. */
  readonly auth: 'none' | 'user_token' | 'secret'
  readonly secretId: string | null
  /** The result as a sentence: {path.to.value} is filled in. */
  readonly outputTemplate: string
  readonly timeoutMs: number
  readonly maxResultBytes: number
  /** May be repeated when in doubt. */
  readonly idempotent: boolean
  /** Takes our key in this header, so that a repetition is recognised there. */
  readonly keyHeader: string | null
  readonly needsApproval: boolean
  /** How a person is asked: read by the agents' approval policy. */
  readonly approval: Readonly<Record<string, unknown>>
  /** Its result comes from within and does not taint the turn. */
  readonly trusted: boolean
  readonly enabled: boolean
  readonly version: number
}

export type ToolInput = Pick<Tool, 'id' | 'title' | 'description' | 'kind'> & Partial<Omit<Tool, 'version'>>

const TOOLS = `
  select id, title, description, examples, kind, parameters, url, headers, auth, secret_id as "secretId",
    output_template as "outputTemplate", timeout_ms as "timeoutMs", max_result_bytes as "maxResultBytes", idempotent,
    key_header as "keyHeader", needs_approval as "needsApproval", approval, trusted, enabled, version
  from tools where tenant = $1`

/** Those that are enabled. */
export async function loadTools(sql: TenantSql): Promise<Tool[]> {
  return sql.query<Tool>(`${TOOLS} and enabled order by id`, [sql.tenant])
}

export async function listTools(sql: TenantSql): Promise<Tool[]> {
  return sql.query<Tool>(`${TOOLS} order by id`, [sql.tenant])
}

export async function toolById(sql: TenantSql, id: string): Promise<Tool | null> {
  const [row] = await sql.query<Tool>(`${TOOLS} and id = $2`, [sql.tenant, id])
  return row ?? null
}

/** Creates or changes one; what is not given stays as it is. Returns its version. */
export async function saveTool(
  sql: TenantSql,
  input: ToolInput,
  by: { readonly expectedVersion?: number } = {},
): Promise<number> {
  const manager = entityManager(sql)
  const { examples, ...fields } = JSON.parse(storableJson(input)) as ToolInput
  const listed = examples === undefined ? {} : { examples: [...examples] }
  const key = { tenant: sql.tenant, id: input.id }
  const found = await manager.findOne(ToolEntity, key)
  if (by.expectedVersion !== undefined && (found?.version ?? 0) !== by.expectedVersion) {
    throw new WaggleError('CONFLICT', { tool: input.id, version: found?.version ?? 0 }, { expected: true })
  }
  const tool =
    found === null
      ? manager.create(ToolEntity, { ...key, ...fields, ...listed, version: 1 })
      : manager.assign(found, { ...fields, ...listed, version: found.version + 1, updatedAt: new Date() })
  await manager.flush()
  await configChanged(sql)
  return tool.version
}

/** False when there was none. Agents lose it. */
export async function removeTool(sql: TenantSql, id: string): Promise<boolean> {
  const rows = await sql.query('delete from tools where tenant = $1 and id = $2 returning id', [sql.tenant, id])
  if (rows.length > 0) await configChanged(sql)
  return rows.length > 0
}
