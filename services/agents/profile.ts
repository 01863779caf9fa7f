import type { AgentKnowledge } from '#shared/contracts/agent.ts'
import type { BudgetLimits } from '#shared/contracts/budget.ts'
import type { GraphTool } from '#shared/graph/agent-graph.ts'
import type { PriceTable } from '#shared/models/price.ts'
import type { ModelSpec } from '#shared/models/spec.ts'
import type { Colleague } from './transfer.ts'

/** Everything an agent is, as read from database rows; nothing about it is code. */
export interface AgentProfile {
  readonly name: string
  readonly title: string
  readonly systemPrompt: string
  readonly model: ModelSpec
  readonly outputMode: 'gated' | 'streamed'
  /** JSON Schema of a structured answer, or null. */
  readonly outputSchema: Readonly<Record<string, unknown>> | null
  readonly maxSteps: number
  readonly version: number
  readonly tools: readonly ProfileTool[]
  readonly limits: BudgetLimits
  readonly prices: PriceTable
  /** The collections it answers from; null: none. */
  readonly knowledge: AgentKnowledge | null
  /** Agents that it may hand a turn to. */
  readonly colleagues: readonly Colleague[]
  /** The tenant's rules about which calls need a person, unread. */
  readonly approvals: unknown
}

export interface ProfileTool extends GraphTool {
  readonly title: string
  /** May be repeated when in doubt: idempotent, or takes our key. */
  readonly repeatable: boolean
  /** One of ours, and not a service of somebody else. */
  readonly builtin: boolean
  readonly needsApproval: boolean
  /** How a person is asked, unread. */
  readonly approval: unknown
}

/** Where profiles come from. Null: there is no such agent, or it is disabled. */
export interface ProfileSource {
  load(tenant: string, agent: string): Promise<AgentProfile | null>
}
