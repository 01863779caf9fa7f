import { coded, refuse } from '#shared/errors/waggle-error.ts'
import { runActor } from '#shared/actor/definition.ts'
import type { RunContext, RunDefinition } from '#shared/actor/definition.ts'
import { Run } from '#shared/contracts/agent.ts'
import { DEFAULT_REPEATS, Spent } from '#shared/contracts/budget.ts'
import type { RunInput, RunResult } from '#shared/contracts/agent.ts'
import { say } from '#shared/contracts/say.ts'
import type { MessageFact, StopReport, Usage } from '#shared/contracts/event-map.ts'
import type { AgentPorts, CallParked, ModelUsage, ToolAnswer, ToolRequest } from '#shared/graph/agent-graph.ts'
import { inlineGuards } from '#shared/graph/output-guards/inline-rules.ts'
import type { GuardrailSource } from '#shared/graph/output-guards/guardrail-row.ts'
import { runAgentGraph } from '#shared/graph/run-graph.ts'
import type { GraphOutput, RunSaver } from '#shared/graph/run-graph.ts'
import type { SavedRun } from '#shared/graph/run-saver.ts'
import type { DecisionMade } from '#shared/contracts/review.ts'
import type { ChatModel, ModelSpec } from '#shared/models/port.ts'
import { Answer } from './answer.ts'
import { Budget, modelOf } from './budget.ts'
import { KNOWLEDGE_TAINT, ground, retrieve } from './grounding.ts'
import { guard } from './guard.ts'
import type { RunSayings } from './guard.ts'
import type { AgentProfile, ProfileSource } from './profile.ts'
import { Steering } from './steering.ts'
import { callTool } from './tool-calls.ts'
import { transferTools } from './transfer.ts'
import { verifyOutput } from './verify-output.ts'

export interface RunParts {
  readonly profiles: ProfileSource
  readonly guardrails: GuardrailSource
  readonly models: (spec: ModelSpec) => ChatModel
  /** Checkpoints of one run, under its parent's epoch and after its words. */
  readonly saver: (run: SavedRun) => RunSaver
}

/** What one attempt knows and gathers; thrown away with it. */
interface Attempt {
  readonly ctx: RunContext
  readonly input: RunInput
  readonly profile: AgentProfile
  readonly sayings: RunSayings
  readonly answer: Answer
  readonly usage: Usage
  readonly report: StopReport
  readonly saver: RunSaver
  readonly steering: Steering
  /** Names its checkpoints, and its calls in the ledger: of the first run where another goes on with its work. */
  readonly thread: string
  /** Where untrusted text came from; grows with it (I14). */
  readonly taint: string[]
  /** Tool calls under way: a stop waits for what they have to say. */
  readonly open: Set<Promise<unknown>>
}

/**
 * One agent's work on one turn. It may be killed at any await and begun again elsewhere (`resumed`): the graph goes on
 * from its last checkpoint, finished tool calls are answered by the ledger, the text of the interrupted step is said anew.
 */
export function runOf(parts: RunParts): RunDefinition {
  return runActor(Run, async (ctx, input) => {
    const profile = await parts.profiles.load(ctx.tenant, input.agent)
    if (profile === null) throw refuse('NO_AGENT', { agent: input.agent })
    const guardrails = (): Promise<readonly unknown[]> => parts.guardrails.load(ctx.tenant)
    const inline = inlineGuards(await guardrails(), input.agent)
    // A guardrail that cannot be read refuses everything (I10).
    if (inline.broken !== null) throw refuse('BLOCKED', { guardrail: inline.broken, reason: 'It cannot be read.' })
    announce(ctx, input, profile)
    const said = [...input.history.filter(({ role }) => role === 'user').map(({ text }) => text), input.text]
    const { turnId, runId, agent, text: asked } = input
    const sayings: RunSayings = { turnId, runId, agent, asked, said, guardrails }
    const saver = parts.saver(ctx)
    const attempt: Attempt = {
      ctx,
      saver,
      steering: new Steering(ctx, sayings, input.conversationId, () => saver.durable()),
      input,
      profile,
      sayings,
      answer: new Answer(ctx, sayings, profile.outputMode, input.answerId, inline, input.draft),
      usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0 },
      report: { stopped: [], couldNot: [], happened: [...(input.resume?.happened ?? [])] },
      thread: input.resume?.thread ?? input.thread ?? ctx.key.join('/'),
      taint: [...ctx.cause.taint],
      open: new Set(),
    }
    try {
      return await work(parts, attempt)
    } catch (error) {
      if (!ctx.signal.aborted || coded(ctx.signal.reason).code !== 'CANCELLED') throw error
      return await stopped(attempt)
    } finally {
      await attempt.answer.end()
    }
  })
}

function announce(ctx: RunContext, input: RunInput, profile: AgentProfile): void {
  const { turnId, runId, agent } = input
  const { provider, model } = profile.model
  say(ctx, 'run:started', {
    turnId,
    runId,
    agent,
    attempt: ctx.attempt,
    model: model === undefined ? provider : `${provider}/${model}`,
  })
  // Nobody is heard by the customer while a draft is written.
  if (input.draft) return
  say(
    ctx,
    'agent:speaking',
    { turnId, runId, agent, title: profile.title, messageId: input.answerId },
    { control: ctx.cause.control },
  )
}

async function work(parts: RunParts, attempt: Attempt): Promise<RunResult> {
  const { ctx, input, profile, sayings, saver, thread } = attempt
  const checked = await guard(ctx, sayings, 'input', input.text)
  if (checked.verdict === 'block') return resultOf(attempt, 'refused', messageOf(attempt, checked.reason))
  const goingOn = ctx.resumed || input.resume !== null || (input.thread ?? null) !== null
  const graph = await walk(attempt, saver, () =>
    runAgentGraph(
      {
        history: input.history,
        question: checked.verdict === 'rewrite' ? checked.text : input.text,
        thread,
        saver: saver.checkpoints,
        resumed: goingOn,
        from: input.from,
      },
      portsOf(attempt, parts.models(profile.model)),
    ),
  )
  if ('outcome' in graph) return graph
  if (graph.parked.length > 0) {
    // Whoever goes on from here may do so elsewhere, and in a year.
    await saver.durable()
    return parked(attempt, graph)
  }
  try {
    await saver.over(thread, goingOn)
  } catch (error) {
    // The answer stands without it; when the epoch is lost, the end of this run is refused anyway.
    ctx.log.warn({ run: ctx.address, code: coded(error).code }, 'checkpoints of a run that is over were not pruned')
  }
  return finished(attempt, graph)
}

/** A budget that is spent ends the walk: for good, or until somebody raises it, as its policy says. */
async function walk(
  attempt: Attempt,
  saver: RunSaver,
  graph: () => Promise<GraphOutput>,
): Promise<GraphOutput | RunResult> {
  try {
    return await graph()
  } catch (error) {
    const failure = coded(error)
    if (failure.code !== 'BUDGET_SPENT') throw error
    const budget = Spent.parse(failure.details)
    Object.assign(attempt.usage, budget.usage)
    attempt.answer.withdraw('The budget of this turn is spent.')
    if (attempt.input.budget?.onSpent !== 'ask') throw error
    // Whoever goes on begins from the last checkpoint.
    await saver.durable()
    return { ...resultOf(attempt, 'stopped', null), spentUp: budget }
  }
}

function finished(attempt: Attempt, graph: GraphOutput): RunResult {
  const { answer, usage } = attempt
  Object.assign(usage, graph.usage)
  if (graph.stepLimit) throw refuse('STEP_LIMIT', { steps: graph.steps, usage })
  if (graph.invalid !== null) {
    answer.withdraw('The answer could not be used.')
    throw refuse('OUTPUT_INVALID', { reason: graph.invalid, usage })
  }
  const { steps, handover } = graph
  if (handover !== null) return { ...resultOf(attempt, 'answered', null, steps), handover }
  if (graph.escalate !== null)
    return resultOf(attempt, 'escalated', messageOf(attempt, ESCALATED, { data: { escalate: graph.escalate } }), steps)
  if (graph.refused !== null)
    return resultOf(attempt, 'refused', messageOf(attempt, answer.voice.blocked ?? graph.refused), steps)
  const { extractive, data } = graph
  const citations = [...graph.citations]
  return resultOf(attempt, 'answered', messageOf(attempt, answer.voice.text, { extractive, data, citations }), steps)
}

/** People have to decide: the run ends, and another one goes on from its checkpoint. */
function parked(attempt: Attempt, graph: GraphOutput): RunResult {
  const { ctx, input, report, thread, usage } = attempt
  Object.assign(usage, graph.usage)
  const { turnId, runId, agent } = input
  say(ctx, 'run:progress', { turnId, runId, step: 'act', label: WAITS }, { control: ctx.cause.control })
  const items = graph.parked.map(({ id, review }) => ({
    callId: id,
    item: { ...review, id: `${runId}-${id}`, turnId, runId, agent },
  }))
  const happened = [...new Set(report.happened)]
  return { ...resultOf(attempt, 'parked', null, graph.steps), parked: { items, input, thread, happened } }
}

/** What the customer sees meanwhile. */
const WAITS = 'waiting for a colleague'

/** Stopped by somebody: what was heard stands, and the report says what had happened (I8). */
async function stopped(attempt: Attempt): Promise<RunResult> {
  const { answer, input, open, report } = attempt
  await Promise.allSettled(open)
  report.stopped.push(`run ${input.runId}`)
  const { text } = answer.voice
  const message = text === '' ? null : messageOf(attempt, text, { data: { stopped: true } })
  return { ...resultOf(attempt, 'stopped', message), report }
}

/** Said when a tool asked for a person. */
const ESCALATED = 'I have asked a colleague to help you. They will answer here.'

function resultOf(
  { usage }: Attempt,
  outcome: RunResult['outcome'],
  message: MessageFact | null,
  steps = 0,
): RunResult {
  return { outcome, message, steps, usage, report: null, parked: null }
}

function messageOf(
  { ctx, input, profile, steering }: Attempt,
  text: string,
  extra: Partial<Pick<MessageFact, 'extractive' | 'data' | 'citations'>> = {},
): MessageFact {
  return {
    id: input.answerId,
    clientId: '',
    parentId: steering.lastHeard ?? input.follows ?? input.messageId,
    role: 'assistant',
    author: profile.name,
    text,
    citations: [],
    extractive: false,
    data: null,
    revision: 1,
    at: ctx.now(),
    ...extra,
  }
}

function budgetOf({ ctx, input, profile }: Attempt): Budget {
  const { turnId, runId } = input
  const unbounded = { tokens: null, costMicros: null, wallMs: null, onSpent: 'end' } as const
  return new Budget(input.budget ?? unbounded, profile.prices, modelOf(profile.model), ctx.cause.at, (about) =>
    say(ctx, 'budget:warned', { turnId, runId, ...about }, { id: `${runId}.warned` }),
  )
}

/** Refuses a call that was made too often before, and ends a run that goes on making it. */
function mayRepeat({ ctx, input, profile }: Attempt, tool: string, times: number): boolean {
  const limit = profile.limits.repeats ?? DEFAULT_REPEATS
  if (times < limit) return true
  const ended = times >= limit + REFUSALS
  const { turnId, runId } = input
  const about = { turnId, runId, what: 'tool' as const, path: [tool], times, ended }
  say(ctx, 'loop:cut', about, { id: `${runId}.${tool}.${times}.cut` })
  if (ended) throw refuse('LOOP_CUT', { tool, times })
  return false
}

/** Refusals of one repeated call after which the run is ended. */
const REFUSALS = 2

function handedOver({ from, reason }: { readonly from: string; readonly reason: string }): string {
  return `This conversation was handed to you by ${from}${reason === '' ? '' : `: ${reason}`}. Go on from there.`
}

function answeredBy(metadata: Readonly<Record<string, unknown>>): { provider?: string; model?: string } {
  const { model_provider: provider, model_name: model } = metadata
  return {
    ...(typeof provider === 'string' ? { provider } : {}),
    ...(typeof model === 'string' ? { model } : {}),
  }
}

function portsOf(attempt: Attempt, model: ChatModel): AgentPorts {
  const { ctx, input, profile, sayings, answer, usage, report, open, saver, steering, thread, taint } = attempt
  const said = { turnId: input.turnId, runId: input.runId }
  const budget = budgetOf(attempt)
  const from = input.handedOver ?? null
  const scope = { ctx, sayings, profile, conversationId: input.conversationId, thread, taint, report }
  const tainted = (sources: readonly string[]): void => {
    for (const source of sources) {
      ctx.taint(source)
      if (!taint.includes(source)) taint.push(source)
    }
  }
  async function call(request: ToolRequest): Promise<ToolAnswer | CallParked>
  async function call(request: ToolRequest, decision: DecisionMade): Promise<ToolAnswer>
  async function call(request: ToolRequest, decision: DecisionMade | null = null): Promise<ToolAnswer | CallParked> {
    const made = callTool(scope, request, decision)
    open.add(made)
    const answer = await made.finally(() => open.delete(made))
    if ('taint' in answer && answer.taint !== null) tainted([answer.taint])
    return answer
  }
  return {
    model,
    systemPrompt: [profile.systemPrompt, from === null ? '' : handedOver(from), input.context]
      .filter((part) => part !== '')
      .join('\n\n'),
    tools: profile.colleagues.length === 0 ? profile.tools : [...profile.tools, ...transferTools(profile.colleagues)],
    maxSteps: profile.maxSteps,
    signal: ctx.signal,
    reached: (step, label) => {
      ctx.signal.throwIfAborted()
      say(ctx, 'run:progress', { ...said, step, label }, { control: ctx.cause.control })
    },
    say: (text) => answer.voice.say(text),
    restart: () => answer.voice.restart(),
    said: (text) => answer.complete(text),
    retrieve: async (question) => {
      const found = await retrieve(ctx, profile.knowledge, question)
      if (found.passages.some(({ text }) => text !== '')) tainted([KNOWLEDGE_TAINT])
      return found
    },
    call,
    decisions: input.resume?.decisions ?? {},
    tainted,
    verify: async (text, passages, last) => {
      const checked = verifyOutput(profile, text)
      if (!checked.ok) return checked
      const grounded = await ground(ctx, profile.knowledge, text, passages, last)
      if ('feedback' in grounded) return grounded
      const { flagged, ...kept } = grounded
      if (flagged !== null) say(ctx, 'message:flagged', { ...said, messageId: input.answerId, ...flagged })
      return { ...checked, ...kept }
    },
    spent: (spent: ModelUsage) => {
      usage.inputTokens += spent.inputTokens
      usage.outputTokens += spent.outputTokens
      usage.cachedTokens += spent.cachedTokens
      usage.costMicros += spent.costMicros
    },
    pending: steering.pending,
    heeded: steering.heeded,
    cost: (counted, metadata) => budget.costOf(counted, answeredBy(metadata)),
    reserve: (used, promptChars) => budget.reserve(used, promptChars, ctx.now()),
    repeated: (call, times) => mayRepeat(attempt, call.name, times),
    durable: () => saver.durable(),
  }
}
