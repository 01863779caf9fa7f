import type { z } from 'zod'
import type { Check, CheckRequest, Verdict } from '#shared/contracts/guardrail.ts'
import { standsAt } from '#shared/graph/output-guards/guardrail-row.ts'
import { BROKEN_REASON } from '#shared/graph/output-guards/wording.ts'
import type { Logger } from '#shared/lib/logger.ts'
import { compileRows } from './compile-rows.ts'
import type { Guard } from './compile-rows.ts'
import type { Finding, RuleContext } from './rule.ts'
import { taintRefusal } from './rules/taint.ts'
import { callSubject, resultSubject, textSubject } from './subject.ts'
import type { Subject } from './subject.ts'

type Request = z.infer<typeof CheckRequest>
type Checked = z.infer<typeof Check>

/** The name under which the check of I14 appears; no row is needed for it. */
export const TAINT_GUARD = 'taint'

/**
 * Asks the guardrails of a stage, one after the other. The first that blocks ends it; a rewritten text is what the next
 * ones look at. Fails closed: a row that cannot be read and a rule that throws are blocks (I10).
 */
export function checkStage(rows: readonly unknown[], request: Request, context: RuleContext, log: Logger): Verdict {
  const guards = compileRows(rows).filter(({ read }) => standsAt(read, request.stage, request.agent))
  const checks: Checked[] = []
  const rewrites: string[] = []
  const blocked = (reason: string): Verdict => ({ verdict: 'block', text: '', reason, checks })
  let subject: Subject
  try {
    subject = subjectOf(request)
  } catch {
    checks.push({ guardrail: request.stage, verdict: 'block', reason: 'It cannot be read.', ms: 0 })
    return blocked(BROKEN_REASON)
  }
  const refusal = request.approved === true ? null : refusedByTaint(subject, context, guards, checks)
  if (refusal === BROKEN_REASON) return blocked(refusal)
  for (const guard of guards) {
    const begun = performance.now()
    const note = (verdict: Checked['verdict'], reason: string): void =>
      void checks.push({ guardrail: guard.id, verdict, reason, ms: performance.now() - begun })
    let finding: Finding | null
    try {
      if (guard.look === null) throw new Error(guard.problem)
      finding = guard.look(subject, context)
      if (guard.action === 'rewrite' && finding !== null && finding.rewritten === null)
        throw new Error('nothing to put in its place')
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      log.error({ tenant: context.tenant, guardrail: guard.id, problem }, 'a guardrail cannot look: refused')
      note('block', `This guardrail cannot look: ${problem}`)
      return blocked(BROKEN_REASON)
    }
    if (finding === null) {
      note('pass', '')
      continue
    }
    switch (guard.action) {
      case 'block':
        note('block', finding.reason)
        return blocked(guard.message === '' ? finding.reason : guard.message)
      case 'flag':
        note('pass', finding.reason)
        break
      case 'rewrite':
        note('rewrite', finding.reason)
        rewrites.push(finding.reason)
        subject = finding.rewritten ?? subject
        break
    }
  }
  // The others have looked too: what a person is asked to approve is what would be called.
  if (refusal !== null) return { verdict: 'block', text: subject.text, reason: refusal, checks, approvable: true }
  const verdict = rewrites.length === 0 ? 'pass' : 'rewrite'
  return { verdict, text: subject.text, reason: rewrites.join(' '), checks }
}

function subjectOf({ stage, text, tool }: Request): Subject {
  if (stage === 'tool_call') {
    if (tool === null) throw new TypeError('a tool call without its tool')
    return callSubject(tool, text)
  }
  return stage === 'tool_result' ? resultSubject(text) : textSubject(text)
}

function refusedByTaint(
  { tool }: Subject,
  context: RuleContext,
  guards: readonly Guard[],
  checks: Checked[],
): string | null {
  if (tool === null || context.taint.length === 0) return null
  const begun = performance.now()
  let reason: string | null
  try {
    const policies = guards.flatMap(({ policy }) => (policy === null ? [] : [policy]))
    reason = taintRefusal(tool, context, policies)
  } catch {
    reason = BROKEN_REASON
  }
  checks.push({
    guardrail: TAINT_GUARD,
    verdict: reason === null ? 'pass' : 'block',
    reason: reason ?? '',
    ms: performance.now() - begun,
  })
  return reason
}
