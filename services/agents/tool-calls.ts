import { createHash } from 'node:crypto'
import type { RunContext } from '#shared/actor/definition.ts'
import type { EventPayload, StopReport } from '#shared/contracts/event-map.ts'
import { canonicalJson } from '#shared/lib/canonical-json.ts'
import { say } from '#shared/contracts/say.ts'
import { Tool } from '#shared/contracts/tool.ts'
import type { ToolResult } from '#shared/contracts/tool.ts'
import type { ToolAnswer, ToolRequest } from '#shared/graph/agent-graph.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { guard } from './guard.ts'
import type { RunSayings } from './guard.ts'
import type { AgentProfile, ProfileTool } from './profile.ts'
import { transferIn } from './transfer.ts'

/** One tool call: policy and guardrails first, then the ledger and the call, then the guardrails on what came back. */
export async function callTool(
  ctx: RunContext,
  sayings: RunSayings,
  profile: AgentProfile,
  conversationId: string,
  thread: string,
  request: ToolRequest,
  report: StopReport,
): Promise<ToolAnswer> {
  const started = ctx.now()
  const { turnId, runId } = sayings
  const said = { turnId, runId, callId: `${runId}-${request.id}`, tool: request.name }
  /** One entry for each call and activation, whatever is repeated within it. */
  const entry = (what: string): { id: string } => ({
    id: `${said.callId}.${ctx.fence.epoch}.${what}`,
  })
  const returned = (status: EventPayload<'tool:returned'>['status'], result: unknown): void =>
    say(ctx, 'tool:returned', { ...said, status, result, ms: ctx.now() - started }, entry('returned'))
  const handover = transferIn(profile, request)
  if (handover !== null) {
    returned('done', handover)
    return { text: `Handed over to ${handover.to}.`, failed: false, escalate: null, handover }
  }
  const tool = profile.tools.find((candidate) => candidate.name === request.name)
  if (tool === undefined) {
    returned('denied', 'not a tool of this agent')
    return { text: `There is no tool ${request.name}.`, failed: true, escalate: null }
  }
  const asked = { ...request.args }
  const before = await guard(ctx, sayings, 'tool_call', canonicalJson(asked), {
    tool: { name: tool.name, args: asked },
  })
  if (before.verdict === 'block') {
    returned('denied', before.reason)
    return { text: `Not allowed: ${before.reason}`, failed: true, escalate: null }
  }
  // A guardrail may have masked a part of the arguments: what is called and remembered is what it let through.
  const args = before.verdict === 'rewrite' ? objectIn(before.text) : asked
  if (args === null) {
    returned('denied', 'a guardrail left no arguments that can be read')
    return { text: 'Not allowed: the arguments may not be passed on.', failed: true, escalate: null }
  }
  say(ctx, 'tool:called', { ...said, args }, entry('called'))
  try {
    return await make(
      ctx,
      sayings,
      { tool, args, conversationId, callId: said.callId, key: `${thread}/${request.id}` },
      report,
      returned,
    )
  } catch (error) {
    // What was called returns in the log, whatever ends it (I8); what is resumed elsewhere returns there.
    if (wasStopped(ctx)) returned('stopped', null)
    throw error
  }
}

/** `key` by the thread: a run that goes on with another's work finds what that has done. */
async function make(
  ctx: RunContext,
  sayings: RunSayings,
  { tool, args, conversationId, callId, key }: AllowedCall,
  report: StopReport,
  returned: (status: EventPayload<'tool:returned'>['status'], result: unknown) => void,
): Promise<ToolAnswer> {
  const outcome = await ctx.effect<ToolResult>(
    {
      id: key,
      tool: tool.name,
      argsHash: createHash('sha256').update(canonicalJson(args)).digest('hex').slice(0, 32),
      repeatable: tool.repeatable,
    },
    () =>
      ctx.reach
        .pool(Tool, tool.name)
        .ask('call', { tool: tool.name, args, callId, idempotencyKey: key, conversationId }),
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
    case 'failed': {
      const cancelled = wasStopped(ctx) && outcome.error.code === 'CANCELLED'
      if (cancelled) (happenedStill(outcome.error) ? report.happened : report.stopped).push(tool.name)
      returned(cancelled ? 'stopped' : 'failed', outcome.error)
      return { text: `Failed: ${wordsOf(outcome.error)}`, failed: true, escalate: null }
    }
    case 'done':
      report.happened.push(tool.name)
      return await accepted(ctx, sayings, tool, outcome.value, returned)
  }
}

interface AllowedCall {
  readonly tool: ProfileTool
  readonly args: Record<string, unknown>
  readonly conversationId: string
  readonly callId: string
  readonly key: string
}

/** Somebody stopped the run; it was not merely left to another holder. */
function wasStopped(ctx: RunContext): boolean {
  return ctx.signal.aborted && coded(ctx.signal.reason).code === 'CANCELLED'
}

/** A callee that was told of the cancellation may have been done already. */
function happenedStill({ details }: { readonly details?: unknown }): boolean {
  return (details as { outcome?: unknown } | undefined)?.outcome === 'completed'
}

async function accepted(
  ctx: RunContext,
  sayings: RunSayings,
  tool: ProfileTool,
  value: ToolResult,
  returned: (status: 'done' | 'denied', result: unknown) => void,
): Promise<ToolAnswer> {
  if (value.tainted) ctx.taint(`tool:${tool.name}`)
  const text = typeof value.result === 'string' ? value.result : JSON.stringify(value.result)
  const after = await guard(ctx, sayings, 'tool_result', text)
  if (after.verdict === 'block') {
    returned('denied', after.reason)
    return { text: `The result may not be used: ${after.reason}`, failed: true, escalate: null }
  }
  const masked = after.verdict === 'rewrite'
  returned('done', masked ? after.text : value.result)
  // Only our own tools may ask for a person by a marker: an outside service could answer anything.
  const passed = masked ? (objectIn(after.text) ?? after.text) : value.result
  return { text: masked ? after.text : text, failed: false, escalate: tool.builtin ? escalationOf(passed) : null }
}

/** The built-in `escalate_to_human` answers with a marker instead of a fact. */
function escalationOf(value: unknown): string | null {
  const result = value as { escalate?: unknown; reason?: unknown } | null
  return typeof result === 'object' && result?.escalate === true
    ? typeof result.reason === 'string'
      ? result.reason
      : 'asked for a person'
    : null
}

/** The JSON object that a guardrail left of one; null when it left something else. */
function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

/** The service's own words where it gave some. */
function wordsOf(error: { readonly message: string; readonly details?: unknown }): string {
  const said = (error.details as { said?: unknown } | undefined)?.said
  return typeof said === 'string' && said !== '' ? said : error.message
}
