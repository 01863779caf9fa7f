import { actor } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { publicError, WaggleError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { CATALOGUE } from '#shared/errors/catalogue.ts'
import { Agent, Run, RunResult } from '#shared/contracts/agent.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'

interface AgentState {
  turns: number
  /** Runs under way, by turn. */
  running: Record<string, { runId: string; startedAt: number }>
}

/** Turns of one conversation that one agent works on at the same time. */
const MAX_RUNNING = 4

/** An agent in one conversation: it spawns a run for each turn and is free again, so `cancel` is always heard. */
export const agent = actor(Agent, {
  state: { version: 1, initial: (): AgentState => ({ turns: 0, running: {} }) },
  sleepAfter: '10m',
  children: {
    strategy: 'one-for-one',
    restarts: 3,
    within: '1m',
    backoff: ['200ms', '5s'],
    decide: (error) => (error.code === 'MODEL_AUTH' || error.code === 'BLOCKED' ? 'stop' : 'restart'),
  },
  on: {
    prompt(ctx, prompt) {
      if (Object.keys(ctx.state.running).length >= MAX_RUNNING) throw refuse('BUSY', { limit: MAX_RUNNING })
      const [conversationId = '', name = ''] = ctx.key
      ctx.state.turns += 1
      ctx.state.running[prompt.turnId] = { runId: prompt.runId, startedAt: ctx.now }
      ctx.spawn(Run, [conversationId, prompt.runId], { ...prompt, conversationId, agent: name })
    },
    cancel(ctx, { turnId, reason }) {
      const run = ctx.state.running[turnId]
      if (run !== undefined) ctx.stop(Run, [ctx.key[0]!, run.runId], reason)
    },
    status: (ctx) => ({ turns: ctx.state.turns, running: Object.values(ctx.state.running).map((run) => run.runId) }),
  },
  ended(ctx, end) {
    const runId = end.key[1]!
    const found = Object.entries(ctx.state.running).find(([, run]) => run.runId === runId)
    if (found === undefined) return
    const [turnId, { startedAt }] = found
    delete ctx.state.running[turnId]
    const [conversationId = '', name = ''] = ctx.key
    const result = end.result === null ? null : RunResult.parse(end.result)
    const stopped = end.state === 'stopped'
    const failure = end.error === null || stopped ? null : failureOf(end.error)
    const outcome = result?.outcome ?? (stopped ? 'stopped' : 'failed')
    const report =
      result?.report ??
      (stopped
        ? {
            stopped: [`run ${runId}`],
            couldNot: end.error?.details['couldNotStop'] === undefined ? [] : [`run ${runId}`],
            happened: [],
          }
        : null)
    const nothing = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0 }
    ctx.emit(
      'run:ended',
      {
        turnId,
        runId,
        agent: name,
        outcome,
        steps: result?.steps ?? 0,
        usage: result?.usage ?? nothing,
        error: failure,
        ms: ctx.now - startedAt,
      },
      { audience: 'ops' },
    )
    ctx.tell(Supervisor, conversationId, 'finished', {
      turnId,
      runId,
      agent: name,
      outcome,
      message: result?.message ?? null,
      error: failure,
      report,
    })
  },
})

function failureOf(error: { readonly code: string; readonly details: Readonly<Record<string, unknown>> }): {
  code: string
  message: string
  action: string
} {
  const code = (error.code in CATALOGUE ? error.code : 'INTERNAL') as ErrorCode
  const { code: shown, message, action } = publicError(new WaggleError(code, error.details))
  return { code: shown, message, action }
}
