import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { Handover } from '#shared/contracts/agent.ts'
import { DEFAULT_HOPS } from '#shared/contracts/budget.ts'
import type { RaiseReceipt } from '#shared/contracts/client.ts'
import { publicFailureOf } from '#shared/contracts/failure.ts'
import type { Decision } from '#shared/contracts/review.ts'
import { say } from '#shared/contracts/say.ts'
import type { Finished, Raise } from '#shared/contracts/supervisor.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { allot } from './allotment.ts'
import type { NothingLeft } from './allotment.ts'
import { requireOperator } from './conversation.ts'
import { dispatch } from './dispatch.ts'
import { parkBudget, supersede } from './park.ts'
import type { SupervisorState, Turn } from './state.ts'
import { endTurn, nextTurn } from './turns.ts'

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
  await dispatch(ctx, sql, turn, agent)
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
  turn.parked = { agent, thread: run?.thread ?? null, more: { [what]: limit } }
  parkBudget(ctx, turn, left, run?.runId ?? '')
  ctx.remind(PARKED_TIMER, ctx.now + PARKED_FOR_MS, { turnId: turn.turnId })
}

/** An operator decided about a turn that waits, not by way of the desk: its item is nobody's any more. */
export async function raise(ctx: Ctx, { turnId, granted, ...more }: z.infer<typeof Raise>): Promise<RaiseAnswer> {
  requireOperator(ctx)
  const turn = parkedTurn(ctx, turnId)
  if (turn === null) throw refuse('CONFLICT', { turn: turnId, reason: 'It does not wait for a budget.' })
  supersede(ctx, turnId)
  return await goOn(ctx, turn, granted ? more : null, ctx.cause.principal?.user ?? '')
}

/** What became of the item at the desk; approved as it is, the turn may spend as much again. */
export async function decideBudget(ctx: Ctx, turnId: string, decision: Decision, by: string): Promise<void> {
  const turn = parkedTurn(ctx, turnId)
  if (turn === null) return
  const grants = decision.action === 'approve' || decision.action === 'edit'
  const asked = decision.action === 'edit' ? decision.args : (turn.parked?.more ?? {})
  const amount = (name: string): number => (typeof asked[name] === 'number' ? asked[name] : 0)
  const more = { tokens: amount('tokens'), costMicros: amount('costMicros'), wallMs: amount('wallMs') }
  await goOn(ctx, turn, grants ? more : null, by)
}

type RaiseAnswer = z.infer<typeof RaiseReceipt>
type More = Pick<z.infer<typeof Raise>, 'tokens' | 'costMicros' | 'wallMs'>

function parkedTurn(ctx: Ctx, turnId: string): Turn | null {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === turnId)
  return turn?.phase === 'parked' && turn.parked != null ? turn : null
}

/** The turn goes on from where it stopped, with more, or it ends. */
async function goOn(ctx: Ctx, turn: Turn, more: More | null, by: string): Promise<RaiseAnswer> {
  const { turnId } = turn
  const sql = await ctx.sql()
  say(ctx, 'budget:raised', { turnId, granted: more !== null, by, ...(more ?? NO_MORE) })
  ctx.forget(PARKED_TIMER)
  if (more === null || turn.parked == null) {
    await refuseTurn(ctx, sql, turn)
    return { status: 'ended' }
  }
  const { agent, thread } = turn.parked
  const raised = turn.raised ?? NO_MORE
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
  await dispatch(ctx, sql, turn, agent)
  return { status: 'resumed' }
}

const NO_MORE: More = { tokens: 0, costMicros: 0, wallMs: 0 }

/** Nobody decided in time. */
export async function parkedTooLong(ctx: Ctx, payload: unknown): Promise<void> {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === (payload as { turnId?: string } | null)?.turnId)
  if (turn?.phase !== 'parked') return
  supersede(ctx, turn.turnId)
  await refuseTurn(ctx, await ctx.sql(), turn)
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
