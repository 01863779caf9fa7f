import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import { Agent } from '#shared/contracts/agent.ts'
import type { Pending, Unheard } from '#shared/contracts/pending.ts'
import { say } from '#shared/contracts/say.ts'
import type { Supervisor } from '#shared/contracts/supervisor.ts'
import type { InputOf } from '#shared/actor/ref.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { MAX_PENDING } from '#shared/contracts/while-running.ts'
import { UNDELIVERED_KEPT } from './state.ts'
import type { SupervisorState, Turn } from './state.ts'

type Ctx = Context<SupervisorState>

/** Passes a word on to the agent that has the turn; until an agent has it, it waits with the turn and goes with its prompt. */
export function steerTurn(ctx: Ctx, turn: Turn, word: Pending): void {
  if (turn.phase === 'running') {
    ctx.tell(Agent, [ctx.key[0]!, turn.agent!], 'steer', { turnId: turn.turnId, ...word })
    return
  }
  if (turn.pending.length >= MAX_PENDING) throw refuse('BUSY', { pending: turn.pending.length, limit: MAX_PENDING })
  turn.pending.push(word)
}

/** Words that a turn did not hear: that is said, and they become nothing else. */
export function unheard(ctx: Ctx, { turnId, items }: InputOf<(typeof Supervisor)['messages']['unheard']>): void {
  for (const item of items) sayUnheard(ctx, turnId, item)
}

export function sayUnheard(
  ctx: Ctx,
  turnId: string,
  { id, kind, author, text, reason }: z.infer<typeof Unheard>,
): void {
  // It was for whichever agent works here: the next prompt has it.
  if (kind === 'whisper') return void ctx.state.whispers.push({ noteId: id, author, text })
  say(ctx, 'message:undelivered', { messageId: id, turnId, reason })
  ctx.state.undelivered = [...ctx.state.undelivered, { messageId: id, reason }].slice(-UNDELIVERED_KEPT)
}
