import type { z } from 'zod'
import { runActor } from '#shared/actor/definition.ts'
import type { RunDefinition } from '#shared/actor/definition.ts'
import { Route } from '#shared/contracts/agent.ts'
import type { RouteResult, TurnLimits } from '#shared/contracts/agent.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import { runRouteGraph } from '#shared/graph/route-graph.ts'
import type { Candidate } from '#shared/graph/route-graph.ts'
import type { ChatModel, ModelSpec } from '#shared/models/port.ts'

/** An agent as routing sees it, and what else is to be known of it once it has the turn. */
export interface RoutedAgent extends Candidate {
  readonly whileRunning: WhileRunning | null
}

export interface RouteParts {
  /** The enabled agents of a tenant, in the order in which they are offered. */
  readonly candidates: (tenant: string) => Promise<readonly RoutedAgent[]>
  /** What bounds a turn of this tenant. */
  readonly limits: (tenant: string) => Promise<TurnLimits>
  /** The model that routes for a tenant. */
  readonly routingModel: (tenant: string) => Promise<ModelSpec>
  readonly models: (spec: ModelSpec) => ChatModel
}

/** Who answers a turn: the agent that was asked for, the only one there is, or the model's choice among hand-offs. */
export function routeOf(parts: RouteParts): RunDefinition {
  return runActor(Route, async (ctx, { text, history, current, wanted }) => {
    const started = ctx.now()
    const candidates = await parts.candidates(ctx.tenant)
    const limits = await parts.limits(ctx.tenant)
    const decided = (agent: string | null, reason: string): z.infer<typeof RouteResult> => {
      const found = candidates.find((candidate) => candidate.name === agent)
      const { title = '', whileRunning = null } = found ?? {}
      return { agent, title, reason, ms: ctx.now() - started, whileRunning, limits }
    }
    if (wanted !== null) {
      const known = candidates.some((candidate) => candidate.name === wanted)
      return decided(known ? wanted : null, known ? 'asked for by name' : `there is no agent ${wanted}`)
    }
    const [only, ...others] = candidates
    if (only === undefined) return decided(null, 'there are no agents')
    if (others.length === 0) return decided(only.name, 'the only agent')
    const model = parts.models(await parts.routingModel(ctx.tenant))
    const { agent, reason } = await runRouteGraph({ text, history, current }, { model, candidates, signal: ctx.signal })
    return decided(agent, reason)
  })
}
