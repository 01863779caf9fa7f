import { spanRules, SPAN_RULE_NAMES } from '#shared/graph/output-guards/span-rules.ts'
import type { SpanRule } from '#shared/graph/output-guards/span-rules.ts'
import { describeFindings } from '#shared/graph/output-guards/wording.ts'
import { FoldedText } from '#shared/lib/patterns/fold.ts'
import { joinOverlaps } from '#shared/lib/patterns/span.ts'
import type { Entity, Reading, Span } from '#shared/lib/patterns/span.ts'
import { ANYWHERE } from '../rule.ts'
import type { Rule } from '../rule.ts'

/** E-mail, phone, card, bank account, secrets, hidden text, terms, links…: whatever is a stretch of text. */
export const SPAN_RULES: readonly Rule[] = SPAN_RULE_NAMES.map((name) => ({
  name,
  stages: ANYWHERE,
  actions: ['block', 'rewrite', 'flag'],
  compile(config, action) {
    const rules = spanRules(name, config)
    return (subject) => {
      const entities: Entity[] = []
      for (const part of subject.parts) for (const { entity } of matches(part, rules)) entities.push(entity)
      if (entities.length === 0) return null
      const rewritten = action === 'rewrite' ? subject.replace((part) => masked(part, rules)) : null
      return { reason: describeFindings(entities, action), rewritten }
    }
  },
}))

interface Match extends Span {
  readonly rule: SpanRule
}

function matches(text: string, rules: readonly SpanRule[]): Match[] {
  const readings = new Map<Reading, FoldedText>()
  const found = rules.flatMap((rule) => {
    const { recogniser } = rule
    const { reads } = recogniser
    if (reads === 'written') return recogniser.find(text).map((span) => ({ ...span, rule }))
    const folded =
      readings.get(reads) ?? new FoldedText(text, { lookalikes: reads === 'loose', lowerCase: reads === 'loose' })
    readings.set(reads, folded)
    return recogniser.find(folded.text).map(({ start, end, entity }) => ({
      start: folded.rawStart(start),
      end: folded.rawEnd(end),
      entity,
      rule,
    }))
  })
  return joinOverlaps(found)
}

function masked(text: string, rules: readonly SpanRule[]): string {
  let kept = ''
  let at = 0
  for (const { start, end, rule } of matches(text, rules)) {
    kept += text.slice(at, start) + rule.mask(text.slice(start, end))
    at = end
  }
  return kept + text.slice(at)
}
