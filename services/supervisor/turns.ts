import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { HISTORY_CHARS, HISTORY_MESSAGES, Route } from '#shared/contracts/agent.ts'
import type { Said } from '#shared/contracts/agent.ts'
import type { Failure, MessageFact, StopReport, TurnOutcome } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import { newestMessages } from './stored-messages.ts'
import type { SupervisorState, Turn } from './state.ts'

type Ctx = Context<SupervisorState>

/**
 * What was said before the turn at work, newest kept first when there is too much: without its own message and those
 * that wait, and each answer right after its question, whatever was stored between the two.
 */
export async function recentHistory(ctx: Ctx, sql: TenantSql): Promise<Said[]> {
  const waiting = new Set(ctx.state.turns.map((turn) => turn.messageId))
  const newest = await newestMessages(sql, ctx.key[0]!, HISTORY_MESSAGES + waiting.size)
  const history: Said[] = []
  let chars = 0
  for (const row of inOrderOfTurns(newest).toReversed()) {
    if (waiting.has(row.id) || row.role === 'system') continue
    chars += row.text.length
    if (history.length >= HISTORY_MESSAGES || chars > HISTORY_CHARS) break
    history.unshift({ role: row.role, author: row.author, text: row.text })
  }
  return history
}

function inOrderOfTurns(messages: readonly MessageFact[]): MessageFact[] {
  const known = new Set(messages.map((message) => message.id))
  const follows = (message: MessageFact): boolean =>
    message.role !== 'user' && message.parentId !== null && known.has(message.parentId)
  const replies = Map.groupBy(messages.filter(follows), (message) => message.parentId)
  return messages
    .filter((message) => !follows(message))
    .flatMap((message) => [message, ...(replies.get(message.id) ?? [])])
}

/** A turn that has not begun, on behalf of whoever is being heard. */
export function newTurn(ctx: Ctx, asked: Pick<Turn, 'text' | 'wanted'>): Turn {
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
    ...asked,
  }
}

/** Begins to decide who answers; where the sender asked for somebody, the run of that choice says so at once. */
export function beginTurn(ctx: Ctx, turn: Turn, history: readonly Said[]): void {
  turn.phase = 'routing'
  turn.startedAt = ctx.now
  const { turnId, messageId, text } = turn
  say(ctx, 'turn:started', { turnId, messageId })
  const conversationId = ctx.key[0]!
  ctx.spawn(
    Route,
    [conversationId, turnId],
    { turnId, conversationId, messageId, text, history: [...history], current: ctx.state.current, wanted: turn.wanted },
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
  say(ctx, 'turn:ended', { turnId: turn.turnId, outcome, error, report, ms: ctx.now - turn.startedAt })
}

/** The next message in line, once the one before it is over. */
export async function nextTurn(ctx: Ctx, sql: TenantSql): Promise<void> {
  const next = ctx.state.turns[0]
  if (next === undefined || next.phase !== 'queued') return
  beginTurn(ctx, next, await recentHistory(ctx, sql))
}
