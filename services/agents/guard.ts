import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { RunContext } from '#shared/actor/definition.ts'
import { Guardrail } from '#shared/contracts/guardrail.ts'
import { say } from '#shared/contracts/say.ts'
import type { Stage, Verdict } from '#shared/contracts/guardrail.ts'
import { readRows, standsAt } from '#shared/graph/output-guards/guardrail-row.ts'

/** What a run says of the things it does, besides its text. */
export interface RunSayings {
  readonly turnId: string
  readonly runId: string
  readonly agent: string
  /** What the turn is to answer. */
  readonly asked: string
  /** What the person wrote, that among it; grows with what is said while it is at work. */
  readonly said: string[]
  /** Guardrails of the tenant, as they are now. */
  readonly guardrails: () => Promise<readonly unknown[]>
}

/** What is asked about, beside the text. */
export interface Asked {
  readonly tool?: { readonly name: string; readonly args: Record<string, unknown> }
  /** A part of an answer and not the whole. */
  readonly piece?: boolean
  /** A person has approved this call. */
  readonly approved?: boolean
  /** Where untrusted text in this turn came from. */
  readonly taint?: readonly string[]
}

/**
 * Asks the guardrails of a stage and says what each found. One that does not answer in time is a refusal (I10). Where none
 * stands nobody is asked, but for calls of a tainted turn, which are looked at without one (I14).
 */
export async function guard(
  ctx: RunContext,
  sayings: RunSayings,
  stage: Stage,
  text: string,
  { tool, piece = false, approved = false, taint = [] }: Asked = {},
): Promise<Verdict> {
  const started = ctx.now()
  let verdict: Verdict
  try {
    const rows = readRows(await sayings.guardrails())
    const stands = rows.some((row) => standsAt(row, stage, sayings.agent))
    if (!stands && (tool === undefined || taint.length === 0)) return { verdict: 'pass', text, reason: '', checks: [] }
    verdict = await ctx.reach
      .pool(Guardrail, stage.replace('_', '-'))
      .ask('check', { stage, agent: sayings.agent, text, tool: tool ?? null, said: [...sayings.said], piece, approved })
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
  sayChecks(ctx, sayings, stage, verdict.checks)
  return verdict
}

/** Every look of a guardrail is an event, whatever it found. */
export function sayChecks(ctx: RunContext, sayings: RunSayings, stage: Stage, checks: Verdict['checks']): void {
  const { turnId, runId } = sayings
  for (const check of checks) say(ctx, 'guardrail:checked', { turnId, runId, stage, ...check })
}
