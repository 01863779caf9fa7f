import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { Agent } from '#shared/contracts/agent.ts'
import { Run } from '#shared/contracts/agent.ts'
import type { InputOf, OutputOf } from '#shared/actor/ref.ts'
import type { Pending, PendingRequest, Unheard } from '#shared/contracts/pending.ts'
import { say } from '#shared/contracts/say.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { MAX_PENDING } from '#shared/contracts/while-running.ts'
import type { AgentState } from './agent-state.ts'

type Ctx = Context<AgentState>

/** Keeps what was said to a turn at work for its run, which it nudges; one that is over hears nothing any more. */
export function steer(ctx: Ctx, { turnId, ...word }: InputOf<(typeof Agent)['messages']['steer']>): void {
  // A turn that waits for people hears it with its next run.
  const run = ctx.state.running[turnId] ?? ctx.state.parked?.[turnId]
  if (run === undefined) return unheard(ctx, turnId, [word], 'the turn was over')
  const pending = (run.pending ??= [])
  if (pending.some(({ id }) => id === word.id)) return
  if (pending.length >= MAX_PENDING) return unheard(ctx, turnId, [word], 'too much waits to be heard')
  pending.push(word)
  if ('runId' in run) ctx.nudge(Run, [ctx.key[0]!, run.runId])
}

/** What a run has not heard, and the record of what it has. */
export function pending(
  ctx: Ctx,
  { runId, heeded, refused }: z.infer<typeof PendingRequest>,
): OutputOf<(typeof Agent)['messages']['pending']> {
  const found = Object.entries(ctx.state.running).find(([, run]) => run.runId === runId)
  if (found === undefined) return { items: [] }
  const [turnId, run] = found
  const waiting = run.pending ?? []
  for (const { id, step } of heeded) {
    const word = waiting.find((candidate) => candidate.id === id)
    if (word?.kind === 'steer') {
      const heard = (run.heard ??= [])
      say(ctx, 'message:steered', { messageId: id, turnId, step, after: heard.at(-1) ?? run.messageId ?? null })
      heard.push(id)
    }
    if (word?.kind === 'whisper')
      ctx.tell(Supervisor, ctx.key[0]!, 'whispered', { noteId: id, turnId, agent: ctx.key[1]!, step })
  }
  for (const { id, reason } of refused)
    unheard(
      ctx,
      turnId,
      waiting.filter((word) => word.id === id),
      reason,
    )
  const done = new Set([...heeded, ...refused].map(({ id }) => id))
  if (waiting.some(({ id }) => done.has(id))) run.pending = waiting.filter(({ id }) => !done.has(id))
  return { items: [...(run.pending ?? [])] }
}

/** Said by the supervisor, before the end of the turn. */
export function unheard(ctx: Ctx, turnId: string, words: readonly Pending[], reason: string): void {
  if (words.length === 0) return
  const items: Unheard[] = words.map(({ taint: _taint, ...word }) => ({ ...word, reason }))
  ctx.tell(Supervisor, ctx.key[0]!, 'unheard', { turnId, items })
}
