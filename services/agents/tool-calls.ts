import { createHash } from 'node:crypto'
import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { RunContext } from '#shared/actor/definition.ts'
import { Guardrail } from '#shared/contracts/guardrail.ts'
import type { Stage, Verdict } from '#shared/contracts/guardrail.ts'
import { Tool } from '#shared/contracts/tool.ts'
import type { ToolResult } from '#shared/contracts/tool.ts'
import type { ToolAnswer, ToolRequest } from '#shared/graph/agent-graph.ts'
import type { AgentProfile } from './profile.ts'

/** What a run says of the things it does, besides its text. */
export interface RunSayings {
  readonly turnId: string
  readonly runId: string
  readonly agent: string
}

/** Asks the guardrails of a stage and says what each found. One that does not answer in time is a refusal (I10). */
export async function guard(
  ctx: RunContext,
  sayings: RunSayings,
  stage: Stage,
  text: string,
  tool: { readonly name: string; readonly args: Record<string, unknown> } | null = null,
): Promise<Verdict> {
  const started = ctx.now()
  let verdict: Verdict
  try {
    verdict = await ctx.reach
      .pool(Guardrail, stage.replace('_', '-'))
      .ask('check', { stage, agent: sayings.agent, text, tool })
  } catch (error) {
    ctx.signal.throwIfAborted()
    const silent = new WaggleError('GUARD_SILENT', { stage, last: coded(error).code }, { cause: error })
    ctx.log.error(
      { run: ctx.address, stage, code: silent.code, last: silent.details['last'] },
      'a guardrail did not answer: refused',
    )
    const check = {
      guardrail: stage,
      verdict: 'block',
      reason: `${silent.code}: ${silent.message}`,
      ms: ctx.now() - started,
    } as const
    verdict = {
      verdict: 'block',
      text: '',
      reason: 'A safety check could not be made, so nothing was passed on.',
      checks: [check],
    }
  }
  for (const check of verdict.checks) {
    ctx.emit(
      'guardrail:checked',
      { turnId: sayings.turnId, runId: sayings.runId, stage, ...check },
      { audience: 'ops' },
    )
  }
  return verdict
}

/** One tool call: policy and guardrails first, then the ledger and the call, then the guardrails on what came back. */
export async function callTool(
  ctx: RunContext,
  sayings: RunSayings,
  profile: AgentProfile,
  conversationId: string,
  request: ToolRequest,
  report: { happened: string[]; couldNot: string[] },
): Promise<ToolAnswer> {
  const started = ctx.now()
  const said = { turnId: sayings.turnId, runId: sayings.runId, callId: request.id, tool: request.name }
  const returned = (status: 'done' | 'failed' | 'unknown' | 'denied', result: unknown): void =>
    ctx.emit(
      'tool:returned',
      { ...said, status, result, ms: ctx.now() - started },
      { audience: 'ops', id: `${ctx.key.at(-1)}.${request.id}.${ctx.fence.epoch}.returned` },
    )
  const tool = profile.tools.find((candidate) => candidate.name === request.name)
  if (tool === undefined) {
    returned('denied', 'not a tool of this agent')
    return { text: `There is no tool ${request.name}.`, failed: true, escalate: null }
  }
  const args = { ...request.args }
  const canonical = canonicalJson(args)
  const before = await guard(ctx, sayings, 'tool_call', canonical, { name: tool.name, args })
  if (before.verdict === 'block') {
    returned('denied', before.reason)
    return { text: `Not allowed: ${before.reason}`, failed: true, escalate: null }
  }
  ctx.emit('tool:called', { ...said, args }, { audience: 'ops' })
  const key = `${ctx.key.join('/')}/${request.id}`
  const outcome = await ctx.effect<ToolResult>(
    {
      id: key,
      tool: tool.name,
      argsHash: createHash('sha256').update(canonical).digest('hex').slice(0, 32),
      repeatable: tool.repeatable,
    },
    () =>
      ctx.reach
        .pool(Tool, tool.name)
        .ask('call', { tool: tool.name, args, callId: request.id, idempotencyKey: key, conversationId }),
  )
  switch (outcome.status) {
    case 'unknown':
      report.couldNot.push(tool.name)
      returned('unknown', null)
      return {
        text: `It is not known whether ${tool.name} happened. Do not repeat it; say so.`,
        failed: true,
        escalate: null,
      }
    case 'failed':
      returned('failed', outcome.error)
      return { text: `Failed: ${outcome.error.message}`, failed: true, escalate: null }
    case 'done':
      report.happened.push(tool.name)
      return await accepted(ctx, sayings, tool.name, outcome.value, returned)
  }
}

async function accepted(
  ctx: RunContext,
  sayings: RunSayings,
  tool: string,
  value: ToolResult,
  returned: (status: 'done' | 'denied', result: unknown) => void,
): Promise<ToolAnswer> {
  if (value.tainted) ctx.taint(`tool:${tool}`)
  const text = typeof value.result === 'string' ? value.result : JSON.stringify(value.result)
  const after = await guard(ctx, sayings, 'tool_result', text)
  if (after.verdict === 'block') {
    returned('denied', after.reason)
    return { text: `The result may not be used: ${after.reason}`, failed: true, escalate: null }
  }
  returned('done', value.result)
  return { text: after.verdict === 'rewrite' ? after.text : text, failed: false, escalate: escalationOf(value) }
}

/** The built-in `escalate_to_human` answers with a marker instead of a fact. */
function escalationOf(value: ToolResult): string | null {
  const result = value.result as { escalate?: unknown; reason?: unknown } | null
  return typeof result === 'object' && result?.escalate === true
    ? typeof result.reason === 'string'
      ? result.reason
      : 'asked for a person'
    : null
}

/** JSON with sorted keys: the same arguments have the same hash. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
