import type { TenantSql } from '#shared/actor/store.ts'
import { listAgents, saveAgent } from '#shared/db/repositories/agents.ts'
import { listGuardrails, saveGuardrail } from '#shared/db/repositories/guardrails.ts'
import { ownTenant, saveTenant } from '#shared/db/repositories/tenants.ts'
import { listTools, saveTool, toolById } from '#shared/db/repositories/tools.ts'
import { listUsers, saveUser } from '#shared/db/repositories/users.ts'
import type { SeedWriter } from './seed.ts'

const AUTHOR = 'seed'

/** Joins seeding to the repositories: `database.tenant(DEMO_TENANT, (sql) => seedDemo(seedWriter(sql), url))`. */
export function seedWriter(sql: TenantSql): SeedWriter {
  return {
    async tenant(name) {
      if ((await ownTenant(sql)) === null) await saveTenant(sql, { name })
    },
    async existing() {
      const users = await listUsers(sql)
      const tools = await listTools(sql)
      const agents = await listAgents(sql)
      const guardrails = await listGuardrails(sql)
      return {
        users: new Set(users.map(({ id }) => id)),
        tools: new Map(tools.map(({ id, url }) => [id, url])),
        agents: new Set(agents.map(({ id }) => id)),
        guardrails: new Set(guardrails.map(({ id }) => id)),
      }
    },
    user: (user) => saveUser(sql, user),
    async tool(tool) {
      await saveTool(sql, tool)
    },
    async moveTool(id, url) {
      const tool = await toolById(sql, id)
      if (tool === null) return
      const { title, description, kind } = tool
      await saveTool(sql, { id, title, description, kind, url })
    },
    async agent(agent) {
      await saveAgent(sql, agent, { author: AUTHOR })
    },
    async guardrail(guardrail) {
      await saveGuardrail(sql, guardrail)
    },
  }
}
