import { actor } from '#shared/actor/definition.ts'
import type { Context } from '#shared/actor/definition.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { Agent, Run, RunResult } from '#shared/contracts/agent.ts'
import { failureOf, publicFailureOf } from '#shared/contracts/failure.ts'
import type { StopReport } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { decided, parkTurn, unpark } from './parked.ts'
import type { ParkedTurn } from './parked.ts'

export interface AgentState {
  turns: number
  /** Runs under way, by turn. */
  running: Record<string, { runId: string; startedAt: number }>
  /** Turns that wait for people, by turn. */
  parked?: Record<string, ParkedTurn>
}

/** Turns of one conversation that one agent works on at the same time. */
const MAX_RUNNING = 4

/** What another attempt would meet again. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['MODEL_AUTH', 'BLOCKED', 'NO_AGENT', 'TOO_LARGE'])

/** An agent in one conversation: it spawns a run for each turn and is free again, so `cancel` is always heard. */
export const agent = actor(Agent, {
  state: { version: 1, initial: (): AgentState => ({ turns: 0, running: {} }) },
  sleepAfter: '10m',
  children: {
    strategy: 'one-for-one',
    restarts: 3,
    within: '1m',
    backoff: ['200ms', '5s'],
    decide: (error) => (FINAL.has(error.code) ? 'stop' : 'restart'),
  },
  on: {
    prompt(ctx, prompt) {
      if (Object.keys(ctx.state.running).length >= MAX_RUNNING) {
        const busy = publicFailureOf({ code: 'BUSY', details: { limit: MAX_RUNNING } })
        return notRun(ctx, prompt.turnId, prompt.runId, { outcome: 'failed', error: busy, report: null })
      }
      const [conversationId = '', name = ''] = ctx.key
      ctx.state.turns += 1
      ctx.state.running[prompt.turnId] = { runId: prompt.runId, startedAt: ctx.now }
      ctx.spawn(Run, [conversationId, prompt.runId], { ...prompt, conversationId, agent: name, resume: null })
    },
    cancel(ctx, { turnId, reason }) {
      const run = ctx.state.running[turnId]
      if (run !== undefined) return ctx.stop(Run, [ctx.key[0]!, run.runId], reason)
      const parked = unpark(ctx, turnId)
      if (parked !== null) {
        const stopped = [`run ${parked.input.runId}`, ...Object.keys(parked.waiting).map((item) => `review ${item}`)]
        const report = { stopped, couldNot: [], happened: [...parked.happened] }
        return notRun(ctx, turnId, parked.input.runId, { outcome: 'stopped', error: null, report })
      }
      // It is over already, and then its end was told before this; or it never began here, and nobody else would end it.
      const report = { stopped: [`turn ${turnId}`], couldNot: [], happened: [] }
      notRun(ctx, turnId, '', { outcome: 'stopped', error: null, report })
    },
    decided,
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
    // A stop that came too late for the run is not too late for its items: they are not parked at all.
    if (!stopped && result !== null && result.parked !== null) return parkTurn(ctx, startedAt, result.parked)
    const failed = stopped ? null : end.error
    const ended = result === null || result.outcome === 'parked' ? null : result.outcome
    const outcome = ended ?? (stopped ? 'stopped' : 'failed')
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
    say(ctx, 'run:ended', {
      turnId,
      runId,
      agent: name,
      outcome,
      steps: result?.steps ?? 0,
      usage: result?.usage ?? nothing,
      error: failed === null ? null : failureOf(failed),
      ms: ctx.now - startedAt,
    })
    ctx.tell(Supervisor, conversationId, 'finished', {
      turnId,
      runId,
      agent: name,
      outcome,
      message: result?.message ?? null,
      error: failed === null ? null : publicFailureOf(failed),
      report,
    })
  },
})

/** The supervisor waits for the end of each turn it handed over, also of one that was never worked on. */
function notRun(
  ctx: Context<AgentState>,
  turnId: string,
  runId: string,
  end: {
    readonly outcome: 'failed' | 'stopped'
    readonly error: ReturnType<typeof publicFailureOf> | null
    readonly report: StopReport | null
  },
): void {
  const [conversationId = '', agentName = ''] = ctx.key
  ctx.tell(Supervisor, conversationId, 'finished', { turnId, runId, agent: agentName, message: null, ...end })
}
