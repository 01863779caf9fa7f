import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { AgentEntity } from '../entities/agent.ts'
import { AgentToolEntity } from '../entities/agent-tool.ts'
import { AgentVersionEntity } from '../entities/agent-version.ts'
import { entityManager } from '../orm.ts'
import { storableJson } from '../storable.ts'
import { configChanged } from './tenants.ts'

/** Everything an agent is. */
export interface Agent {
  /** Its name in subjects and addresses. */
  readonly id: string
  readonly title: string
  readonly description: string
  /** What a customer may ask it, for routing. */
  readonly examples: readonly string[]
  readonly systemPrompt: string
  readonly model: Readonly<Record<string, unknown>>
  readonly outputMode: 'gated' | 'streamed'
  readonly outputSchema: Readonly<Record<string, unknown>> | null
  readonly maxSteps: number
  readonly limits: Readonly<Record<string, unknown>>
  /** Which collections it answers from, and how: `AgentKnowledge`; {} for none. */
  readonly knowledge: Readonly<Record<string, unknown>>
  readonly position: number
  readonly enabled: boolean
  readonly version: number
  /** Ids of its tools, the first to be offered first. */
  readonly tools: readonly string[]
}

export type AgentInput = Pick<Agent, 'id' | 'title' | 'description' | 'systemPrompt'> & Partial<Omit<Agent, 'version'>>

const AGENTS = `
  select a.id, a.title, a.description, a.examples, a.system_prompt as "systemPrompt", a.model,
    a.output_mode as "outputMode", a.output_schema as "outputSchema", a.max_steps as "maxSteps", a.limits, a.knowledge, a.position,
    a.enabled, a.version,
    coalesce(array_agg(t.tool_id order by t.priority, t.tool_id) filter (where t.tool_id is not null), '{}') as tools
  from agents a left join agent_tools t on t.tenant = a.tenant and t.agent_id = a.id
  where a.tenant = $1`
const GROUPED = 'group by a.tenant, a.id order by a.position, a.id'

/** Those that are enabled, in the order in which routing offers them. */
export async function loadAgents(sql: TenantSql): Promise<Agent[]> {
  return sql.query<Agent>(`${AGENTS} and a.enabled ${GROUPED}`, [sql.tenant])
}

export async function listAgents(sql: TenantSql): Promise<Agent[]> {
  return sql.query<Agent>(`${AGENTS} ${GROUPED}`, [sql.tenant])
}

export async function agentById(sql: TenantSql, id: string): Promise<Agent | null> {
  const [row] = await sql.query<Agent>(`${AGENTS} and a.id = $2 ${GROUPED}`, [sql.tenant, id])
  return row ?? null
}

/** Creates or changes one; what is not given stays as it is. Each save is a version. Returns its number. */
export async function saveAgent(
  sql: TenantSql,
  input: AgentInput,
  by: { readonly author: string; readonly expectedVersion?: number },
): Promise<number> {
  const manager = entityManager(sql)
  const { tools, examples, ...given } = JSON.parse(storableJson(input)) as AgentInput
  const fields = examples === undefined ? given : { ...given, examples: [...examples] }
  const key = { tenant: sql.tenant, id: input.id }
  const found = await manager.findOne(AgentEntity, key)
  if (by.expectedVersion !== undefined && (found?.version ?? 0) !== by.expectedVersion) {
    throw new WaggleError('CONFLICT', { agent: input.id, version: found?.version ?? 0 }, { expected: true })
  }
  const agent =
    found === null
      ? manager.create(AgentEntity, { ...key, ...fields, version: 1 })
      : manager.assign(found, { ...fields, version: found.version + 1, updatedAt: new Date() })
  if (tools !== undefined) {
    await manager.nativeDelete(AgentToolEntity, { tenant: sql.tenant, agentId: input.id })
    for (const [priority, toolId] of tools.entries()) {
      manager.create(AgentToolEntity, { tenant: sql.tenant, agentId: input.id, toolId, priority })
    }
  }
  await manager.flush()
  const saved = await agentById(sql, input.id)
  manager.create(AgentVersionEntity, {
    tenant: sql.tenant,
    agentId: input.id,
    version: agent.version,
    body: { ...saved },
    author: by.author,
  })
  await manager.flush()
  await configChanged(sql)
  return agent.version
}

/** Every version that was saved, the newest first. */
export async function agentVersions(
  sql: TenantSql,
  id: string,
): Promise<{ version: number; author: string; createdAt: number; body: Agent }[]> {
  return sql.query(
    `select version, author, created_at as "createdAt", body from agent_versions
     where tenant = $1 and agent_id = $2 order by version desc`,
    [sql.tenant, id],
  )
}

/** False when there was none. Its versions go with it. */
export async function removeAgent(sql: TenantSql, id: string): Promise<boolean> {
  const rows = await sql.query('delete from agents where tenant = $1 and id = $2 returning id', [sql.tenant, id])
  if (rows.length > 0) await configChanged(sql)
  return rows.length > 0
}
