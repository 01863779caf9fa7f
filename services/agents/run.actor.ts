import { coded, refuse } from '#shared/errors/waggle-error.ts'
import { runActor } from '#shared/actor/definition.ts'
import type { RunContext, RunDefinition } from '#shared/actor/definition.ts'
import type { Fence } from '#shared/actor/store.ts'
import { Run } from '#shared/contracts/agent.ts'
import type { MessageFact, StopReport, TurnOutcome, Usage } from '#shared/contracts/event-map.ts'
import type { AgentPorts, ModelUsage } from '#shared/graph/agent-graph.ts'
import { inlineGuards } from '#shared/graph/output-guards/inline-rules.ts'
import type { InlineGuards } from '#shared/graph/output-guards/inline-rules.ts'
import type { GuardrailSource } from '#shared/graph/output-guards/guardrail-row.ts'
import { runAgentGraph } from '#shared/graph/run-graph.ts'
import type { GraphOutput, RunSaver } from '#shared/graph/run-graph.ts'
import { compileSchema } from '#shared/lib/json-schema/compile-schema.ts'
import type { ChatModel, ModelSpec } from '#shared/models/port.ts'
import { callTool } from './tool-calls.ts'
import { guard, sayChecks } from './guard.ts'
import type { RunSayings } from './guard.ts'
import { gatedGate, streamedGate } from './gates.ts'
import type { AgentProfile, ProfileSource } from './profile.ts'
import { Voice } from './voice.ts'

export interface RunParts {
  readonly profiles: ProfileSource
  readonly guardrails: GuardrailSource
  readonly models: (spec: ModelSpec) => ChatModel
  /** Checkpoints of one run, under its parent's epoch. */
  readonly saver: (fence: Fence) => RunSaver
}

/**
 * One agent's work on one turn. It may be killed at any await and begun again elsewhere (`resumed`): the graph goes on
 * from its last checkpoint, finished tool calls are answered by the ledger, the text of the interrupted step is said anew.
 */
export function runOf(parts: RunParts): RunDefinition {
  return runActor(Run, async (ctx, input) => {
    const started = ctx.now()
    const runId = input.runId
    const said = [...input.history.filter(({ role }) => role === 'user').map(({ text }) => text), input.text]
    const sayings: RunSayings = { turnId: input.turnId, runId, agent: input.agent, said }
    const profile = await parts.profiles.load(ctx.tenant, input.agent)
    if (profile === null) throw refuse('NO_AGENT', { agent: input.agent })
    ctx.emit(
      'run:started',
      {
        turnId: input.turnId,
        runId,
        agent: input.agent,
        attempt: ctx.attempt,
        model: `${profile.model.provider}/${profile.model.model ?? ''}`,
      },
      { audience: 'ops' },
    )
    ctx.emit(
      'agent:speaking',
      { turnId: input.turnId, runId, agent: input.agent, title: profile.title, messageId: input.answerId },
      { audience: 'pub', control: ctx.cause.control },
    )
    const usage: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0 }
    const report = { stopped: [] as string[], couldNot: [] as string[], happened: [] as string[] }
    /** Tool calls under way: a stop waits for what they have to say. */
    const open = new Set<Promise<unknown>>()
    const inline = inlineGuards(await parts.guardrails.load(ctx.tenant), input.agent)
    // A guardrail that cannot be read refuses everything (I10).
    if (inline.broken !== null) throw refuse('BLOCKED', { guardrail: inline.broken, reason: 'It cannot be read.' })
    const checked = await guard(ctx, sayings, 'input', input.text)
    const answer = (text: string, extra: Partial<MessageFact> = {}): MessageFact => ({
      id: input.answerId,
      clientId: '',
      parentId: input.messageId,
      role: 'assistant',
      author: profile.name,
      text,
      citations: [],
      extractive: false,
      data: null,
      revision: 1,
      at: ctx.now(),
      ...extra,
    })
    const result = (
      outcome: TurnOutcome,
      message: MessageFact | null,
      steps: number,
      stop: StopReport | null = null,
    ) => ({ outcome, message, steps, usage, report: stop })
    if (checked.verdict === 'block') return result('refused', answer(checked.reason), 0)
    const voice = voiceOf(ctx, sayings, profile, input.answerId, inline)
    try {
      const saver = parts.saver(ctx.fence)
      const said = () => sayRest(ctx, sayings, input.answerId, voice, inline)
      const ports = portsOf(ctx, parts, profile, sayings, input.conversationId, voice, said, saver, usage, report, open)
      const graph = await runAgentGraph(
        {
          history: input.history,
          question: checked.verdict === 'rewrite' ? checked.text : input.text,
          thread: ctx.key.join('/'),
          saver: saver.checkpoints,
          resumed: ctx.resumed,
        },
        ports,
      )
      return finished(graph, voice, answer, result)
    } catch (error) {
      if (!ctx.signal.aborted || coded(ctx.signal.reason).code !== 'CANCELLED') throw error
      // Stopped by somebody: what was heard stands, and the report says what had happened (I8).
      await Promise.allSettled(open)
      report.stopped.push(`run ${runId}`)
      return result('stopped', voice.text === '' ? null : answer(voice.text, { data: { stopped: true } }), 0, report)
    } finally {
      voice.close()
      if (!(await ctx.flushed())) voice.repeat()
      ctx.log.debug({ run: ctx.address, ms: ctx.now() - started }, 'a run has ended')
    }
  })
}

function finished<Result>(
  graph: GraphOutput,
  voice: Voice,
  answer: (text: string, extra?: Partial<MessageFact>) => MessageFact,
  result: (outcome: TurnOutcome, message: MessageFact, steps: number) => Result,
): Result {
  if (graph.stepLimit) throw refuse('STEP_LIMIT', { steps: graph.steps })
  if (graph.escalate !== null)
    return result('escalated', answer(ESCALATED, { data: { escalate: graph.escalate } }), graph.steps)
  if (graph.refused !== null) return result('refused', answer(voice.blocked ?? graph.refused), graph.steps)
  return result('answered', answer(voice.text, { extractive: graph.extractive, data: graph.data }), graph.steps)
}

/** Said when a tool asked for a person. */
const ESCALATED = 'I have asked a colleague to help you. They will answer here.'

function voiceOf(
  ctx: RunContext,
  sayings: RunSayings,
  profile: AgentProfile,
  messageId: string,
  inline: InlineGuards,
): Voice {
  const gate =
    profile.outputMode === 'streamed'
      ? () => streamedGate(inline.rules)
      : () =>
          gatedGate(async (sentence) => {
            const verdict = await guard(ctx, sayings, 'output', sentence, { piece: true })
            return {
              blocked: verdict.verdict === 'block' ? verdict.reason : null,
              text: verdict.verdict === 'rewrite' ? verdict.text : sentence,
            }
          })
  const emit = (offset: number, text: string): void =>
    ctx.emit('text:delta', { messageId, offset, text }, { audience: 'pub', control: ctx.cause.control })
  return new Voice(gate, emit, ctx.resumed)
}

/** The guards that need the whole answer can only retract what was said of it, visibly (I10). */
async function sayRest(
  ctx: RunContext,
  sayings: RunSayings,
  messageId: string,
  voice: Voice,
  inline: InlineGuards,
): Promise<boolean> {
  const whole = await voice.finish()
  sayChecks(
    ctx,
    sayings,
    'output',
    voice.checks.map((check) => ({ ...check, ms: 0 })),
  )
  if (!whole || !inline.more) return whole
  const verdict = await guard(ctx, sayings, 'output', voice.text)
  if (verdict.verdict !== 'block') return true
  voice.retract(verdict.reason)
  ctx.emit('message:retracted', { messageId, reason: verdict.reason }, { audience: 'pub', control: ctx.cause.control })
  return false
}

function portsOf(
  ctx: RunContext,
  parts: RunParts,
  profile: AgentProfile,
  sayings: RunSayings,
  conversationId: string,
  voice: Voice,
  sayTheRest: () => Promise<boolean>,
  saver: RunSaver,
  usage: Usage,
  report: { happened: string[]; couldNot: string[] },
  open: Set<Promise<unknown>>,
): AgentPorts {
  const said = { turnId: sayings.turnId, runId: sayings.runId }
  return {
    model: parts.models(profile.model),
    systemPrompt: profile.systemPrompt,
    tools: profile.tools,
    maxSteps: profile.maxSteps,
    signal: ctx.signal,
    reached: (step, label) => {
      ctx.signal.throwIfAborted()
      ctx.emit('run:progress', { ...said, step, label }, { audience: 'pub', control: ctx.cause.control })
    },
    say: (text) => voice.say(text),
    restart: () => voice.restart(),
    said: sayTheRest,
    retrieve: async () => [],
    call: async (request) => {
      const call = callTool(ctx, sayings, profile, conversationId, request, report)
      open.add(call)
      return await call.finally(() => open.delete(call))
    },
    verify: async (answer) => await verifyOutput(profile, answer),
    spent: (spent: ModelUsage) => {
      usage.inputTokens += spent.inputTokens
      usage.outputTokens += spent.outputTokens
      usage.cachedTokens += spent.cachedTokens
    },
    durable: () => saver.durable(),
  }
}

/** An agent with an output schema answers in JSON of that shape; what does not fit goes back to the model. */
async function verifyOutput(profile: AgentProfile, answer: string): Promise<Awaited<ReturnType<AgentPorts['verify']>>> {
  if (profile.outputSchema === null) {
    return answer.trim() === '' ? { ok: false, feedback: 'It was empty.' } : { ok: true, data: null }
  }
  let data: unknown
  try {
    data = JSON.parse(answer.replace(/^\s*```(?:json)?|```\s*$/g, ''))
  } catch {
    return { ok: false, feedback: 'It was not JSON.' }
  }
  const problems = compileSchema(profile.outputSchema).problems(data)
  if (problems.length === 0) return { ok: true, data }
  return { ok: false, feedback: problems.map((problem) => `${problem.path || 'value'}: ${problem.message}`).join('; ') }
}
