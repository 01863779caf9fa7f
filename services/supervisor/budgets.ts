import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { Handover } from '#shared/contracts/agent.ts'
import { DEFAULT_HOPS } from '#shared/contracts/budget.ts'
import type { RaiseReceipt } from '#shared/contracts/client.ts'
import { publicFailureOf } from '#shared/contracts/failure.ts'
import { say } from '#shared/contracts/say.ts'
import type { Finished, Raise } from '#shared/contracts/supervisor.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { allot } from './allotment.ts'
import type { NothingLeft } from './allotment.ts'
import { requireStaff } from './conversation.ts'
import { dispatch } from './dispatch.ts'
import type { SupervisorState, Turn } from './state.ts'
import { endTurn, nextTurn, recentHistory } from './turns.ts'

type Ctx = Context<SupervisorState>

/** How long a turn waits for somebody who lets it spend more. */
const PARKED_FOR_MS = 24 * 3_600_000
export const PARKED_TIMER = 'budget'

/** Hands the turn to an agent with what it may spend, or says that there is nothing left. */
export async function giveTurn(ctx: Ctx, sql: TenantSql, turn: Turn, agent: string): Promise<void> {
  const allotted = await allot(ctx, sql, turn, agent)
  if ('scope' in allotted) return await spentUp(ctx, sql, turn, agent, allotted, null)
  turn.budget = allotted
  turn.path = [...(turn.path ?? []), agent]
  dispatch(ctx, turn, agent, await recentHistory(ctx, sql))
}

/** A run has spent what it had, or there was nothing for it: the turn ends, or waits, as its policy says. */
export async function spentUp(
  ctx: Ctx,
  sql: TenantSql,
  turn: Turn,
  agent: string,
  left: NothingLeft,
  run: { readonly runId: string; readonly thread: string } | null,
): Promise<void> {
  const { scope, what, used, limit, onSpent: policy } = left
  say(ctx, 'budget:spent', { turnId: turn.turnId, runId: run?.runId ?? '', agent, scope, policy, what, used, limit })
  if (policy === 'end') return await refuseTurn(ctx, sql, turn)
  turn.phase = 'parked'
  turn.parked = { agent, thread: run?.thread ?? null }
  ctx.remind(PARKED_TIMER, ctx.now + PARKED_FOR_MS, { turnId: turn.turnId })
}

/** Somebody decided about a turn that waits: it goes on from where it stopped, with more, or it ends. */
export async function raise(
  ctx: Ctx,
  { turnId, granted, ...more }: z.infer<typeof Raise>,
): Promise<z.infer<typeof RaiseReceipt>> {
  requireStaff(ctx)
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === turnId)
  if (turn?.phase !== 'parked' || turn.parked == null)
    throw refuse('CONFLICT', { turn: turnId, reason: 'It does not wait for a budget.' })
  const sql = await ctx.sql()
  say(ctx, 'budget:raised', { turnId, granted, by: ctx.cause.principal?.user ?? '', ...more })
  ctx.forget(PARKED_TIMER)
  if (!granted) {
    await refuseTurn(ctx, sql, turn)
    return { status: 'ended' }
  }
  const { agent, thread } = turn.parked
  const raised = turn.raised ?? { tokens: 0, costMicros: 0, wallMs: 0 }
  turn.raised = {
    tokens: raised.tokens + more.tokens,
    costMicros: raised.costMicros + more.costMicros,
    wallMs: raised.wallMs + more.wallMs,
  }
  turn.parked = null
  const allotted = await allot(ctx, sql, turn, agent)
  // Not enough: it waits on, and that is said.
  if ('scope' in allotted) {
    await spentUp(ctx, sql, turn, agent, allotted, thread === null ? null : { runId: turn.runId ?? '', thread })
    return { status: turn.phase === 'parked' ? 'waiting' : 'ended' }
  }
  // What the thread has spent counts in it again, so that is added to what it may spend from now on.
  const before = turn.settled ?? { tokens: 0, costMicros: 0 }
  turn.budget = {
    ...allotted,
    tokens: allotted.tokens === null ? null : allotted.tokens + before.tokens,
    costMicros: allotted.costMicros === null ? null : allotted.costMicros + before.costMicros,
  }
  turn.thread = thread
  dispatch(ctx, turn, agent, await recentHistory(ctx, sql))
  return { status: 'resumed' }
}

/** Nobody decided in time. */
export async function parkedTooLong(ctx: Ctx, payload: unknown): Promise<void> {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === (payload as { turnId?: string } | null)?.turnId)
  if (turn?.phase === 'parked') await refuseTurn(ctx, await ctx.sql(), turn)
}

async function refuseTurn(ctx: Ctx, sql: TenantSql, turn: Turn): Promise<void> {
  endTurn(ctx, turn, 'failed', publicFailureOf({ code: 'BUDGET_SPENT', details: {} }), null)
  await nextTurn(ctx, sql)
}

/** An agent hands the turn to another; false when that would go in circles: it is cut, and the turn is over. */
export async function handOver(ctx: Ctx, sql: TenantSql, turn: Turn, end: z.infer<typeof Finished>): Promise<void> {
  const { to, reason } = Handover.parse(end.handover)
  const path = [...(turn.path ?? [end.agent]), to]
  const hops = turn.limits?.agents[end.agent]?.hops ?? DEFAULT_HOPS
  if (path.length - 1 > hops || isPingPong(path)) {
    const about = {
      turnId: turn.turnId,
      runId: end.runId,
      what: 'handoff',
      path,
      times: path.length - 1,
      ended: true,
    } as const
    say(ctx, 'loop:cut', about)
    endTurn(ctx, turn, 'failed', publicFailureOf({ code: 'LOOP_CUT', details: {} }), null)
    return await nextTurn(ctx, sql)
  }
  say(ctx, 'turn:transferred', { turnId: turn.turnId, from: end.agent, to, reason })
  turn.handedOver = { from: end.agent, reason }
  turn.thread = null
  turn.settled = null
  await giveTurn(ctx, sql, turn, to)
}

/** A -> B -> A -> B: whoever gave it away gets it back and gives it away again. */
function isPingPong(path: readonly string[]): boolean {
  const [a, b, c, d] = path.slice(-4)
  return d !== undefined && a === c && b === d && a !== b
}
