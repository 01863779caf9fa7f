import type { TenantSql } from '#shared/actor/store.ts'

import { GuardrailEntity } from '../entities/guardrail.ts'
import { entityManager } from '../orm.ts'
import { storableJson } from '../storable.ts'
import { configChanged } from './tenants.ts'

/** A check in front of a side effect or a release of text (I10). */
export interface Guardrail {
  readonly id: string
  /** Null: of every agent. */
  readonly agentId: string | null
  readonly stage: 'input' | 'tool_call' | 'tool_result' | 'output'
  /** Which check, and its settings. */
  readonly rule: string
  readonly config: Readonly<Record<string, unknown>>
  readonly action: 'block' | 'rewrite' | 'flag'
  /** Said to the customer when it blocks; empty: the rule's own words. */
  readonly message: string
  readonly position: number
  readonly enabled: boolean
  readonly version: number
}

export type GuardrailInput = Pick<Guardrail, 'id' | 'stage' | 'rule' | 'action'> & Partial<Omit<Guardrail, 'version'>>

const GUARDRAILS = `
  select id, agent_id as "agentId", stage, rule, config, action, message, position, enabled, version
  from guardrails where tenant = $1`

/** Those that are enabled, in the order in which they look. */
export async function loadGuardrails(sql: TenantSql): Promise<Guardrail[]> {
  return sql.query<Guardrail>(`${GUARDRAILS} and enabled order by position, id`, [sql.tenant])
}

export async function listGuardrails(sql: TenantSql): Promise<Guardrail[]> {
  return sql.query<Guardrail>(`${GUARDRAILS} order by position, id`, [sql.tenant])
}

/** Creates or changes one; what is not given stays as it is. Returns its version. */
export async function saveGuardrail(sql: TenantSql, input: GuardrailInput): Promise<number> {
  const manager = entityManager(sql)
  const fields = JSON.parse(storableJson(input)) as GuardrailInput
  const key = { tenant: sql.tenant, id: input.id }
  const found = await manager.findOne(GuardrailEntity, key)
  const guardrail =
    found === null
      ? manager.create(GuardrailEntity, { ...key, ...fields, version: 1 })
      : manager.assign(found, { ...fields, version: found.version + 1, updatedAt: new Date() })
  await manager.flush()
  await configChanged(sql)
  return guardrail.version
}

export async function removeGuardrail(sql: TenantSql, id: string): Promise<boolean> {
  const rows = await sql.query('delete from guardrails where tenant = $1 and id = $2 returning id', [sql.tenant, id])
  if (rows.length > 0) await configChanged(sql)
  return rows.length > 0
}
