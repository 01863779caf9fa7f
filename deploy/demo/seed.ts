import type { AgentInput } from '#shared/db/repositories/agents.ts'
import type { GuardrailInput } from '#shared/db/repositories/guardrails.ts'
import type { ToolInput } from '#shared/db/repositories/tools.ts'
import { DEMO_AGENTS } from './seed-agents.ts'
import { DEMO_GUARDRAILS } from './seed-guardrails.ts'
import { demoTools } from './seed-tools.ts'

/**
 * The demo tenant. Seeding adds what is missing and leaves the rest alone, so that what somebody has changed or a second
 * start finds is not overwritten; only the address of the order service follows where it is now.
 */
export const DEMO_TENANT = 'demo'

export const DEMO_USERS = [
  { id: 'ada', name: 'Ada Customer', email: 'ada@example.com', roles: [] },
  { id: 'olga', name: 'Olga Operator', email: 'olga@example.com', roles: ['operator'] },
  { id: 'admin', name: 'Demo Admin', email: 'admin@example.com', roles: ['admin'] },
] as const satisfies readonly SeedUser[]

export interface SeedUser {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly roles: readonly string[]
}

/** What is there already; `url` of a tool by its id. */
export interface Seeded {
  readonly users: ReadonlySet<string>
  readonly tools: ReadonlyMap<string, string>
  readonly agents: ReadonlySet<string>
  readonly guardrails: ReadonlySet<string>
}

/** Writes rows of one tenant, all of them in one transaction. */
export interface SeedWriter {
  /** Creates the tenant when there is none. */
  tenant(name: string): Promise<void>
  existing(): Promise<Seeded>
  user(user: SeedUser): Promise<void>
  tool(tool: ToolInput): Promise<void>
  /** The tool stays what it is, at another address. */
  moveTool(id: string, url: string): Promise<void>
  agent(agent: AgentInput): Promise<void>
  guardrail(guardrail: GuardrailInput): Promise<void>
}

/** @param orderService where the order service answers, without a slash at the end. Returns how many rows it wrote. */
export async function seedDemo(write: SeedWriter, orderService: string): Promise<number> {
  await write.tenant('Demo shop')
  const existing = await write.existing()
  let written = 0
  for (const user of DEMO_USERS) {
    if (existing.users.has(user.id)) continue
    await write.user(user)
    written += 1
  }
  for (const tool of demoTools(orderService)) {
    const url = existing.tools.get(tool.id)
    if (url === tool.url) continue
    await (url === undefined ? write.tool(tool) : write.moveTool(tool.id, tool.url))
    written += 1
  }
  // Agents name their tools, which must be there.
  for (const agent of DEMO_AGENTS) {
    if (existing.agents.has(agent.id)) continue
    await write.agent(agent)
    written += 1
  }
  for (const guardrail of DEMO_GUARDRAILS) {
    if (existing.guardrails.has(guardrail.id)) continue
    await write.guardrail(guardrail)
    written += 1
  }
  return written
}
