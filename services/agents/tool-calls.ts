import type { EffectResult, RunContext } from '#shared/actor/definition.ts'
import type { EventPayload, StopReport } from '#shared/contracts/event-map.ts'
import type { DecisionMade } from '#shared/contracts/review.ts'
import { say } from '#shared/contracts/say.ts'
import { effectsOfRun } from '#shared/db/repositories/effects.ts'
import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { Tool } from '#shared/contracts/tool.ts'
import type { ToolResult } from '#shared/contracts/tool.ts'
import type { CallParked, ToolAnswer, ToolRequest } from '#shared/graph/agent-graph.ts'
import { canonicalJson, hashOfArgs } from '#shared/lib/canonical-json.ts'
import { approvalOf, termsOfTaint } from './approval-policy.ts'
import { SEARCH_TOOL, passagesIn } from './grounding.ts'
import { guard } from './guard.ts'
import type { RunSayings } from './guard.ts'
import type { AgentProfile, ProfileTool } from './profile.ts'
import { transferIn } from './transfer.ts'
import { ASK_OPERATOR, callForReview, questionForReview } from './review-calls.ts'

/** What the calls of one attempt share. */
export interface CallScope {
  readonly ctx: RunContext
  readonly sayings: RunSayings
  readonly profile: AgentProfile
  readonly conversationId: string
  /** Names the calls in the ledger: the same for every run that goes on from the same checkpoints. */
  readonly thread: string
  /** Where untrusted text in this turn came from (I14). */
  readonly taint: readonly string[]
  readonly report: StopReport
}

type Returned = (status: EventPayload<'tool:returned'>['status'], result: unknown) => void
type Args = Readonly<Record<string, unknown>>

/**
 * One tool call: policy and guardrails first, then the ledger and the call, then the guardrails on what came back. A call
 * that needs a person is handed back instead, and made when it comes with a decision: guarded anew, with exactly the
 * arguments that were approved.
 */
export async function callTool(
  scope: CallScope,
  request: ToolRequest,
  decision: DecisionMade | null,
): Promise<ToolAnswer | CallParked> {
  const { ctx, sayings, profile } = scope
  const started = ctx.now()
  const { turnId, runId } = sayings
  const said = { turnId, runId, callId: `${runId}-${request.id}`, tool: request.name }
  /** One entry for each call and activation, whatever is repeated within it. */
  const entry = (what: string): { id: string } => ({ id: `${said.callId}.${ctx.fence.epoch}.${what}` })
  const returned: Returned = (status, result) =>
    say(ctx, 'tool:returned', { ...said, status, result, ms: ctx.now() - started }, entry('returned'))
  const denied = (reason: string, text = `Not allowed: ${reason}`): ToolAnswer => {
    returned('denied', reason)
    return { text, failed: true, escalate: null, taint: null }
  }
  const handover = transferIn(profile, request)
  if (handover !== null) {
    returned('done', handover)
    return { text: `Handed over to ${handover.to}.`, failed: false, escalate: null, taint: null, handover }
  }
  const tool = profile.tools.find((candidate) => candidate.name === request.name)
  if (tool === undefined) return denied('not a tool of this agent', `There is no tool ${request.name}.`)
  if (decision !== null) {
    const { decision: made } = decision
    if (made.action === 'reject')
      return denied(
        `rejected: ${made.reason}`,
        `A person has decided against this call, so it was not made. Their reason: ${made.reason}`,
      )
    if (made.action === 'answer') {
      returned('answered', made.text)
      return { text: made.text, failed: false, escalate: null, taint: null }
    }
  }
  const asked = decision?.decision.action === 'edit' ? { ...decision.decision.args } : { ...request.args }
  const before = await guard(ctx, sayings, 'tool_call', canonicalJson(asked), {
    tool: { name: tool.name, args: asked },
    approved: decision !== null,
    taint: scope.taint,
  })
  const held = before.verdict === 'block' && before.approvable === true && decision === null
  const blocked = before.verdict === 'block' && !held
  // A guardrail may have masked a part of the arguments: what is called and remembered is what it let through.
  const args = blocked ? null : before.verdict === 'pass' ? asked : objectIn(before.text)
  const call = { tool, callId: said.callId, key: `${scope.thread}/${request.id}` }
  if (args === null) {
    const begun = await begunBefore(ctx, tool.name, call.key)
    if (begun !== null) return await told(scope, call, begun, returned)
    if (blocked) return denied(before.reason)
    return denied('a guardrail left no arguments that can be read', 'Not allowed: the arguments may not be passed on.')
  }
  if (decision === null) {
    const parked = needsPerson(scope, tool, args, held ? before.reason : null)
    if ('reason' in parked) return denied(parked.reason)
    if (parked.park !== null) return { park: parked.park, args }
  }
  say(ctx, 'tool:called', { ...said, args }, entry('called'))
  try {
    return await told(scope, call, await make(scope, call, args), returned)
  } catch (error) {
    // What was called returns in the log, whatever ends it (I8); what is resumed elsewhere returns there.
    if (wasStopped(ctx)) returned(coded(error).code === 'CANCELLED' ? 'stopped' : 'unknown', null)
    throw error
  }
}

/** What a person has to be asked before this call is made; `park` null: nothing. `reason`: it may not be made at all. */
function needsPerson(
  { sayings, profile, taint }: CallScope,
  tool: ProfileTool,
  args: Args,
  heldBack: string | null,
): { readonly park: CallParked['park'] | null } | { readonly reason: string } {
  const call = { tool, agent: profile.name, args, taint }
  const approval = approvalOf(call, profile.approvals)
  if (!approval.allowed) return { reason: approval.reason }
  if (tool.builtin && tool.name === ASK_OPERATOR) {
    const park = questionForReview(tool, args, approval.terms, sayings, taint)
    return park === null ? { reason: 'there is no question in it' } : { park }
  }
  const terms = heldBack === null ? approval.terms : termsOfTaint(call, profile.approvals, heldBack)
  return { park: terms === null ? null : callForReview(tool, args, terms, sayings, taint) }
}

/** One call of a tool as the ledger knows it. */
interface LedgerCall {
  readonly tool: ProfileTool
  readonly callId: string
  readonly key: string
}

/** The call itself, by the ledger. */
function make(
  { ctx, conversationId }: CallScope,
  { tool, callId, key }: LedgerCall,
  args: Args,
): Promise<EffectResult<ToolResult>> {
  return ctx.effect<ToolResult>(
    { id: key, tool: tool.name, argsHash: hashOfArgs(args), repeatable: tool.repeatable },
    () =>
      ctx.reach
        .pool(Tool, tool.name)
        .ask('call', { tool: tool.name, args, callId, idempotencyKey: key, conversationId }),
  )
}

/**
 * What came of a call that an earlier attempt was let make and that may not be made now: as it stands in the ledger, in
 * doubt when it was not settled. Null when it was never begun.
 */
async function begunBefore(ctx: RunContext, tool: string, key: string): Promise<EffectResult<ToolResult> | null> {
  if (!ctx.resumed) return null
  const begun = (await ctx.sql((sql) => effectsOfRun(sql, ctx.address))).find(({ id }) => id === key)
  if (begun === undefined) return null
  return await ctx.effect<ToolResult>({ id: key, tool, argsHash: begun.argsHash, repeatable: false }, () =>
    Promise.reject(new WaggleError('CANCELLED', { reason: 'It may not be made again.' })),
  )
}

/** What the model reads of an outcome, and what the report of a stop says of it. */
async function told(
  { ctx, sayings, report }: CallScope,
  { tool, key }: LedgerCall,
  outcome: EffectResult<ToolResult>,
  returned: Returned,
): Promise<ToolAnswer> {
  const failed = (text: string): ToolAnswer => ({ text, failed: true, escalate: null, taint: null })
  switch (outcome.status) {
    case 'unknown':
      report.couldNot.push(tool.name)
      returned('unknown', null)
      return failed(`It is not known whether ${tool.name} happened. Do not repeat it; say so.`)
    case 'failed': {
      const cancelled = wasStopped(ctx) && outcome.error.code === 'CANCELLED'
      if (cancelled) (happenedStill(outcome.error) ? report.happened : report.stopped).push(tool.name)
      returned(cancelled ? 'stopped' : 'failed', outcome.error)
      return failed(`Failed: ${wordsOf(outcome.error)}`)
    }
    case 'done':
      report.happened.push(tool.name)
      return await accepted(ctx, sayings, { tool, key }, outcome.value, returned)
  }
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
  { tool, key }: Pick<LedgerCall, 'tool' | 'key'>,
  value: ToolResult,
  returned: Returned,
): Promise<ToolAnswer> {
  const taint = value.tainted ? `tool:${tool.name}` : null
  if (taint !== null) ctx.taint(taint)
  const text = typeof value.result === 'string' ? value.result : JSON.stringify(value.result)
  const after = await guard(ctx, sayings, 'tool_result', text)
  if (after.verdict === 'block') {
    returned('denied', after.reason)
    return { text: `The result may not be used: ${after.reason}`, failed: true, escalate: null, taint }
  }
  const masked = after.verdict === 'rewrite'
  returned('done', masked ? after.text : value.result)
  // Only our own tools may ask for a person by a marker: an outside service could answer anything.
  const passed = masked ? (objectIn(after.text) ?? after.text) : value.result
  const found = tool.builtin && tool.name === SEARCH_TOOL ? passagesIn(passed, key) : null
  if (found !== null) return { text: found.text, failed: false, escalate: null, taint, passages: found.passages }
  return {
    text: masked ? after.text : text,
    failed: false,
    escalate: tool.builtin ? escalationOf(passed) : null,
    taint,
  }
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
