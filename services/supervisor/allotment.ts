import { DEFAULT_TURN_TOKENS, tokensOf } from '#shared/contracts/budget.ts'
import type { Allotment, BudgetLimits, Spent } from '#shared/contracts/budget.ts'
import type { Usage } from '#shared/contracts/event-map.ts'
import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { spend, spentOn } from '#shared/db/repositories/spending.ts'
import type { Amounts, SupervisorState, Turn } from './state.ts'

type Ctx = Context<SupervisorState>

/** Which bound it was that left nothing. */
export interface NothingLeft extends Pick<Spent, 'what' | 'used' | 'limit'> {
  readonly scope: 'turn' | 'conversation' | 'day'
  readonly onSpent: Allotment['onSpent']
}

/**
 * What a run may spend, as a tree: no more than its agent may in a turn, less what this turn has spent, and no more than
 * the conversation and the tenant's day have left. It is reserved until the run is over; so one statement for a turn, where
 * the tenant has a limit for its day, and none for a model call.
 */
export async function allot(ctx: Ctx, sql: TenantSql, turn: Turn, agent: string): Promise<Allotment | NothingLeft> {
  const limits = turn.limits?.agents[agent] ?? {}
  const conversation = turn.limits?.conversation ?? {}
  const day = turn.limits?.day ?? {}
  const today = new Date(ctx.now).toISOString().slice(0, 10)
  const bounded = day.tokens !== undefined || day.costMicros !== undefined
  const sides: [NothingLeft['scope'], BudgetLimits, Amounts][] = [
    ['turn', { ...limits, tokens: limits.tokens ?? DEFAULT_TURN_TOKENS }, turn.spent ?? NONE],
    ['conversation', conversation, ctx.state.spent ?? NONE],
    ...(bounded
      ? [['day', day, await spentOn(sql, today)] satisfies [NothingLeft['scope'], BudgetLimits, Amounts]]
      : []),
  ]
  const onSpent = limits.onSpent ?? conversation.onSpent ?? day.onSpent ?? 'end'
  const left: { tokens: number | null; costMicros: number | null } = { tokens: null, costMicros: null }
  for (const [scope, bound, spent] of sides) {
    for (const what of ['tokens', 'costMicros'] as const) {
      const limit = bound[what]
      if (limit === undefined) continue
      const raised = limit + (turn.raised?.[what] ?? 0)
      if (raised <= spent[what]) return { scope, what, used: spent[what], limit: raised, onSpent }
      left[what] = Math.min(left[what] ?? Infinity, raised - spent[what])
    }
  }
  turn.reserved = { tokens: left.tokens ?? 0, costMicros: left.costMicros ?? 0, day: bounded ? today : null }
  if (bounded) await spend(sql, today, turn.reserved)
  const wallMs = limits.wallMs === undefined ? null : limits.wallMs + (turn.raised?.wallMs ?? 0)
  return { ...left, wallMs, onSpent }
}

/** A run is over: what it has spent is spent, the rest of what was reserved is free again. */
export async function settle(ctx: Ctx, sql: TenantSql, turn: Turn, usage: Usage): Promise<void> {
  const before = turn.settled ?? NONE
  const used = { tokens: tokensOf(usage) - before.tokens, costMicros: usage.costMicros - before.costMicros }
  turn.spent = sum(turn.spent ?? NONE, used)
  ctx.state.spent = sum(ctx.state.spent ?? NONE, used)
  const { reserved } = turn
  if (reserved?.day != null)
    await spend(sql, reserved.day, {
      tokens: used.tokens - reserved.tokens,
      costMicros: used.costMicros - reserved.costMicros,
    })
  turn.reserved = null
}

const NONE: Amounts = { tokens: 0, costMicros: 0 }

function sum(a: Amounts, b: Amounts): Amounts {
  return { tokens: a.tokens + b.tokens, costMicros: a.costMicros + b.costMicros }
}
