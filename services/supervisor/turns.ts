import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { HISTORY_CHARS, HISTORY_MESSAGES, Route } from '#shared/contracts/agent.ts'
import type { Said } from '#shared/contracts/agent.ts'
import type { Failure, StopReport, TurnOutcome } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import { followMessage, pathTo } from '#shared/db/repositories/message-tree.ts'
import { changeBranch } from './active-branch.ts'
import { FRESH_TURN } from './state.ts'
import type { Asked, SupervisorState, Turn } from './state.ts'
import { sayUnheard } from './steer.ts'

type Ctx = Context<SupervisorState>

/** What was said on this branch before the turn; the newest is kept when there is too much. */
export async function historyBefore(sql: TenantSql, turn: Turn): Promise<Said[]> {
  const history: Said[] = []
  let chars = 0
  const leaf = turn.follows ?? turn.parentId
  if (leaf === null) return []
  for (const row of (await pathTo(sql, leaf, HISTORY_MESSAGES)).toReversed()) {
    if (row.role === 'system' || row.id === turn.messageId) continue
    chars += row.content.length
    if (chars > HISTORY_CHARS) break
    // To an agent, what a colleague of its said is the house's word, as its own is.
    history.unshift({ role: row.role === 'user' ? 'user' : 'assistant', author: row.author, text: row.content })
  }
  return history
}

/** A turn that has not begun, on behalf of whoever is being heard. */
export function newTurn(ctx: Ctx, asked: Pick<Turn, 'text' | 'wanted' | 'parentId'> & Partial<Asked>): Turn {
  return {
    turnId: ctx.newId(),
    messageId: ctx.newId(),
    answerId: ctx.newId(),
    principal: ctx.cause.principal,
    taint: [...ctx.cause.taint],
    phase: 'queued',
    agent: null,
    runId: null,
    startedAt: ctx.now,
    ...structuredClone(FRESH_TURN),
    ...asked,
  }
}

/** Begins to decide who answers; where the sender asked for somebody, the run of that choice says so at once. */
async function beginTurn(ctx: Ctx, sql: TenantSql, turn: Turn): Promise<void> {
  turn.phase = 'routing'
  turn.startedAt = ctx.now
  const { turnId, messageId, text, joined, branch } = turn
  const { lastMessageId } = ctx.state
  if (branch !== null) branch.leafBefore = lastMessageId
  else if (turn.follows !== null) turn.follows = lastMessageId
  else if (turn.parentId !== ctx.state.lastMessageId) {
    // It waited, and something was said meanwhile.
    turn.parentId = ctx.state.lastMessageId
    await followMessage(sql, joined[0] ?? messageId, turn.parentId)
  }
  const history = await historyBefore(sql, turn)
  if (branch !== null) await changeBranch(ctx, sql, messageId, branch.kind)
  if (turn.follows === null) {
    ctx.state.lastMessageId = messageId
    say(ctx, 'turn:started', { turnId, messageId, after: turn.parentId, joined: [...joined] })
  } else say(ctx, 'turn:started', { turnId, messageId })
  const conversationId = ctx.key[0]!
  ctx.spawn(
    Route,
    [conversationId, turnId],
    { turnId, conversationId, messageId, text, history, current: ctx.state.current, wanted: turn.wanted },
    { fresh: true, principal: turn.principal, taint: turn.taint },
  )
}

/** Takes a turn out, whatever it was doing, and says how it ended. */
export function endTurn(
  ctx: Ctx,
  turn: Turn,
  outcome: TurnOutcome,
  error: Failure | null,
  report: StopReport | null,
): void {
  ctx.state.turns = ctx.state.turns.filter((other) => other.turnId !== turn.turnId)
  for (const word of turn.pending.splice(0))
    sayUnheard(ctx, turn.turnId, { ...word, reason: `the turn ended: ${outcome}` })
  say(ctx, 'turn:ended', { turnId: turn.turnId, outcome, error, report, ms: ctx.now - turn.startedAt })
}

/** Fires when a debounced turn has waited for long enough. */
export const COLLECTED = 'collected'

/** The next message in line, once the one before it is over, and nobody waits for more to be added to it. */
export async function nextTurn(ctx: Ctx, sql: TenantSql): Promise<void> {
  const next = ctx.state.turns[0]
  if (next === undefined || next.phase !== 'queued') return
  if (next.waits !== null && next.waits.until > ctx.now) return ctx.remind(COLLECTED, next.waits.until)
  await beginTurn(ctx, sql, next)
}
