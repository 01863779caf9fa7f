import { actor } from '#shared/actor/definition.ts'
import type { ChildEnd, Context } from '#shared/actor/definition.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { Agent, Prompt, Run, RunInput, RunResult } from '#shared/contracts/agent.ts'
import { NOTHING_SPENT, Spent } from '#shared/contracts/budget.ts'
import { failureOf, publicFailureOf } from '#shared/contracts/failure.ts'
import { Usage } from '#shared/contracts/event-map.ts'
import type { StopReport } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { AgentState } from './agent-state.ts'
import { closeCalls } from './open-calls.ts'
import { decided, parkTurn, unpark } from './parked.ts'
import { pending, steer, unheard } from './pending.ts'

/** Turns of one conversation that one agent works on at the same time. */
const MAX_RUNNING = 4

/** What another attempt would meet again. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'MODEL_AUTH',
  'BUDGET_SPENT',
  'LOOP_CUT',
  'BLOCKED',
  'NO_AGENT',
  'TOO_LARGE',
])

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
    prompt(ctx, { pending: words = [], ...prompt }) {
      if (ctx.cause.attempt > 1) return tryAgain(ctx, prompt)
      if (Object.keys(ctx.state.running).length >= MAX_RUNNING) {
        unheard(ctx, prompt.turnId, words, 'the agent is busy')
        const busy = publicFailureOf({ code: 'BUSY', details: { limit: MAX_RUNNING } })
        return notRun(ctx, prompt.turnId, prompt.runId, { outcome: 'failed', error: busy, report: null })
      }
      const [conversationId = '', name = ''] = ctx.key
      ctx.state.turns += 1
      ctx.state.running[prompt.turnId] = {
        runId: prompt.runId,
        startedAt: ctx.now,
        messageId: prompt.follows ?? prompt.messageId,
        ...(prompt.thread == null ? {} : { thread: prompt.thread }),
      }
      ctx.spawn(Run, [conversationId, prompt.runId], { ...prompt, conversationId, agent: name, resume: null })
      for (const word of words) steer(ctx, { turnId: prompt.turnId, ...word })
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
    steer,
    pending,
    decided,
    status: (ctx) => ({ turns: ctx.state.turns, running: Object.values(ctx.state.running).map((run) => run.runId) }),
  },
  async ended(ctx, end) {
    const runId = end.key[1]!
    const found = Object.entries(ctx.state.running).find(([, run]) => run.runId === runId)
    if (found === undefined) return
    const [turnId, { startedAt, pending: waiting = [], heard = [], thread = end.key.join('/') }] = found
    delete ctx.state.running[turnId]
    const [conversationId = '', name = ''] = ctx.key
    const result = end.result === null ? null : RunResult.parse(end.result)
    const stopped = end.state === 'stopped'
    // A stop that came too late for the run is not too late for its items: they are not parked at all.
    if (!stopped && result !== null && result.parked !== null) return parkTurn(ctx, found[1], result.parked)
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
    // A run that said nothing of its end may have left calls open.
    if (result === null) await closeCalls(ctx, end.address, { turnId, runId })
    unheard(ctx, turnId, waiting, outcome === 'answered' ? 'the answer was finished' : `the turn ended: ${outcome}`)
    const usage = result?.usage ?? usageIn(failed)
    say(ctx, 'run:ended', {
      turnId,
      runId,
      agent: name,
      outcome: result?.spentUp != null ? 'parked' : result?.handover != null ? 'handed-over' : outcome,
      steps: result?.steps ?? 0,
      usage,
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
      heard,
      usage,
      thread,
      handover: result?.handover ?? null,
      spent: result?.spentUp ?? spentIn(failed),
      parked: result?.spentUp != null,
    })
  },
  /** Its turn would wait for it until the watchdog comes. */
  buried(ctx, { type, payload, error }) {
    const prompt = type === 'prompt' ? Prompt.pick({ turnId: true, runId: true }).safeParse(payload) : null
    if (prompt?.success !== true) return
    const { turnId, runId } = prompt.data
    notRun(ctx, turnId, runId, { outcome: 'failed', error: publicFailureOf(error), report: null })
  },
  again(ctx, child) {
    tryAgain(ctx, RunInput.parse(child.input))
  },
})

/** A dead letter was replayed: the turn that it was of is over, so the message gets another. */
function tryAgain(
  ctx: Context<AgentState>,
  { messageId, text }: { readonly messageId: string; readonly text: string },
): void {
  const [conversationId = '', agentName = ''] = ctx.key
  ctx.tell(Supervisor, conversationId, 'retry', { messageId, text, agent: agentName }, { fresh: true })
}

/** What a failed run says it has used; of one that crashed nobody knows. */
function usageIn(failed: ChildEnd['error']): Usage {
  const found = Usage.safeParse(failed?.details['usage'])
  return found.success ? found.data : NOTHING_SPENT
}

function spentIn(failed: ChildEnd['error']): Spent | null {
  return failed?.code === 'BUDGET_SPENT' ? Spent.parse(failed.details) : null
}

/** The supervisor waits for the end of each turn it handed over, also of one that was never worked on. */
function notRun(
  ctx: Omit<Context<AgentState>, 'state'>,
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
