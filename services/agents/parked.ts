import type { Context } from '#shared/actor/definition.ts'
import { Run } from '#shared/contracts/agent.ts'
import type { Parked, RunInput } from '#shared/contracts/agent.ts'
import { Desk } from '#shared/contracts/review.ts'
import type { Decided, DecisionMade } from '#shared/contracts/review.ts'
import { say } from '#shared/contracts/say.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Pending } from '#shared/contracts/pending.ts'
import type { AgentState, RunningTurn } from './agent-state.ts'
import { unheard } from './pending.ts'

/** A turn whose run has ended until people have decided. It is state and rows: nobody waits in memory. */
export interface ParkedTurn {
  readonly startedAt: number
  readonly input: RunInput
  readonly thread: string
  readonly happened: readonly string[]
  /** On whose behalf, after which texts and under which control the turn goes on: not those of whoever decides. */
  readonly principal: Principal | null
  readonly taint: readonly string[]
  readonly control: number
  /** What it has heard, and what was said to it and waits for its next run. */
  readonly heard: readonly string[]
  pending: Pending[]
  /** By item. */
  readonly waiting: Record<string, { readonly callId: string; made: DecisionMade | null }>
}

type Ctx = Context<AgentState>

/** Hands the items of a run that has ended to the desk. Ids come from the run: parked twice, they are the same items. */
export function parkTurn(
  ctx: Ctx,
  { startedAt, heard = [], pending = [] }: RunningTurn,
  { items, input, thread, happened }: Parked,
): void {
  const { turnId, runId, agent } = input
  const { principal, taint, control } = ctx.cause
  const waiting = Object.fromEntries(items.map(({ callId, item }) => [item.id, { callId, made: null }]))
  parkedOf(ctx)[turnId] = { startedAt, input, thread, happened, principal, taint, control, waiting, heard, pending }
  say(ctx, 'run:parked', { turnId, runId, agent, items: Object.keys(waiting) })
  const [conversationId = ''] = ctx.key
  const origin = { kind: 'agent' as const, key: [...ctx.key] }
  for (const { item } of items) ctx.tell(Desk, conversationId, 'park', { item, origin }, { fresh: true })
  ctx.tell(Supervisor, conversationId, 'parked', { turnId, waits: true }, { fresh: true })
}

/** One decision has come; with the last of them another run goes on from the checkpoint, wherever this actor lives now. */
export function decided(ctx: Ctx, { itemId, turnId, decision, by, at }: Decided): void {
  const turn = parkedOf(ctx)[turnId]
  const item = turn?.waiting[itemId]
  // The turn was stopped, or this is an item of an earlier parking.
  if (turn === undefined || item === undefined) return
  item.made = { decision, by, at }
  const made = Object.values(turn.waiting)
  if (made.some((other) => other.made === null)) return
  delete parkedOf(ctx)[turnId]
  const decisions = Object.fromEntries(made.flatMap((one) => (one.made === null ? [] : [[one.callId, one.made]])))
  const runId = ctx.newId()
  ctx.state.running[turnId] = {
    runId,
    startedAt: turn.startedAt,
    messageId: turn.input.follows ?? turn.input.messageId,
    thread: turn.thread,
    heard: [...turn.heard],
    pending: turn.pending,
  }
  const resume = { thread: turn.thread, decisions, happened: [...turn.happened] }
  const { principal, taint, control } = turn
  ctx.spawn(Run, [ctx.key[0]!, runId], { ...turn.input, runId, resume }, { fresh: true, principal, taint, control })
  if (turn.pending.length > 0) ctx.nudge(Run, [ctx.key[0]!, runId])
  ctx.tell(Supervisor, ctx.key[0]!, 'parked', { turnId, waits: false }, { fresh: true })
}

/** Stops a turn that waits for people: its items are nobody's any more. Null: it does not wait. */
export function unpark(ctx: Ctx, turnId: string): ParkedTurn | null {
  const turn = parkedOf(ctx)[turnId]
  if (turn === undefined) return null
  delete parkedOf(ctx)[turnId]
  unheard(ctx, turnId, turn.pending, 'the turn was stopped')
  ctx.tell(Desk, ctx.key[0]!, 'supersede', { turnId }, { fresh: true })
  return turn
}

/** An actor that slept since before there was such a thing has none. */
function parkedOf({ state }: Ctx): Record<string, ParkedTurn> {
  return (state.parked ??= {})
}
