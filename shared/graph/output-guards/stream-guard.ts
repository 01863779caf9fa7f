import { refuse } from '#shared/errors/waggle-error.ts'
import { FoldedText } from '#shared/lib/patterns/fold.ts'
import { joinOverlaps } from '#shared/lib/patterns/span.ts'
import type { Entity, Reading, Span } from '#shared/lib/patterns/span.ts'
import type { GuardrailAction } from './guardrail-row.ts'
import type { SpanRule } from './span-rules.ts'
import { BROKEN_REASON, describeFindings } from './wording.ts'

/**
 * Looks at a text while it is being streamed (output mode `streamed`, I10) and hands on only what is settled: the end of
 * the text is held back as long as it may still become something that a rule looks for. Pure; owns the text of one
 * message; the run pushes what its model says and publishes what comes back.
 *
 * Invariants
 * 1. However the text is cut into pieces, what is released is the whole text with the same masks.
 * 2. `offset` is where the released piece begins, in UTF-16 code units of all released so far; never inside a pair.
 * 3. Nothing of a match and nothing after it is released before the match is decided.
 * 4. A rule that throws blocks. After a block nothing more is released.
 */
export interface InlineRule {
  /** Name of the guardrail it belongs to. */
  readonly guardrail: string
  readonly action: GuardrailAction
  /** Said when it blocks; empty: words of our own. */
  readonly message: string
  readonly rules: readonly SpanRule[]
}

export interface Released {
  readonly offset: number
  readonly text: string
  /** The guardrail that ended the text here, or null. */
  readonly blockedBy: string | null
  /** Why, in words for the customer; empty while nothing is blocked. */
  readonly reason: string
}

export interface InlineFinding {
  readonly guardrail: string
  readonly action: GuardrailAction
  readonly entity: Entity
}

/** A longer answer is refused (TOO_LARGE): it is kept in memory until it ends. */
export const MAX_GUARDED_CHARS = 256 * 1024

interface Match extends Span {
  readonly by: InlineRule
  readonly rule: SpanRule
}

export class StreamGuard {
  readonly #rules: readonly InlineRule[]
  readonly #readings = new Map<Reading, { readonly folded: FoldedText; from: number }>()
  readonly #findings: InlineFinding[] = []
  #raw = ''
  /** Half of a surrogate pair that the last piece ended with. */
  #half = ''
  #settled = 0
  #released = 0
  #blockedBy: string | null = null
  #reason = ''

  constructor(rules: readonly InlineRule[]) {
    this.#rules = rules
    for (const { rules: own } of rules)
      for (const { recogniser } of own) {
        if (recogniser.reads === 'written' || this.#readings.has(recogniser.reads)) continue
        const loose = recogniser.reads === 'loose'
        const folded = new FoldedText('', { lookalikes: loose, lowerCase: loose })
        this.#readings.set(recogniser.reads, { folded, from: 0 })
      }
  }

  /** Everything found so far, in order; more than once where a thing was found more than once. */
  get findings(): readonly InlineFinding[] {
    return this.#findings
  }

  /** What each guardrail made of the text so far, for those who watch. */
  checks(): { guardrail: string; verdict: 'pass' | 'rewrite' | 'block'; reason: string }[] {
    return this.#rules.map(({ guardrail, action }) => {
      const entities = this.#findings.filter((one) => one.guardrail === guardrail).map(({ entity }) => entity)
      if (guardrail === this.#blockedBy) return { guardrail, verdict: 'block', reason: this.#reason }
      if (entities.length === 0) return { guardrail, verdict: 'pass', reason: '' }
      return {
        guardrail,
        verdict: action === 'rewrite' ? 'rewrite' : 'pass',
        reason: describeFindings(entities, action),
      }
    })
  }

  push(piece: string): Released {
    const text = this.#half + piece
    const cut = isHighSurrogate(text, text.length - 1) ? text.length - 1 : text.length
    this.#half = text.slice(cut)
    this.#append(text.slice(0, cut))
    return this.#release(false)
  }

  /** The text is complete: everything held back is decided. */
  end(): Released {
    this.#append(this.#half)
    this.#half = ''
    return this.#release(true)
  }

  #append(text: string): void {
    if (this.#raw.length + text.length > MAX_GUARDED_CHARS)
      throw refuse('TOO_LARGE', { chars: this.#raw.length + text.length, limit: MAX_GUARDED_CHARS })
    this.#raw += text
    for (const { folded } of this.#readings.values()) folded.append(text)
  }

  #release(final: boolean): Released {
    if (this.#blockedBy !== null || this.#settled === this.#raw.length) return this.#nothing()
    const rule = { at: '' }
    try {
      const open = final ? this.#raw.length : this.#open(rule)
      if (open <= this.#settled) return this.#nothing()
      return this.#releaseUpTo(open, this.#matches(rule))
    } catch {
      this.#blockedBy = rule.at
      this.#reason = BROKEN_REASON
      return this.#nothing()
    }
  }

  /** The first place that some rule has not decided. */
  #open(rule: { at: string }): number {
    let open = this.#raw.length
    for (const { guardrail, rules } of this.#rules) {
      rule.at = guardrail
      for (const { recogniser } of rules) {
        const reading = this.#readings.get(recogniser.reads)
        const at =
          reading === undefined
            ? recogniser.open(this.#raw, this.#settled)
            : reading.folded.rawStart(recogniser.open(reading.folded.text, reading.from))
        if (at < open) open = at
        if (open <= this.#settled) return open
      }
    }
    return open
  }

  #matches(rule: { at: string }): Match[] {
    const found: Match[] = []
    for (const by of this.#rules) {
      rule.at = by.guardrail
      for (const one of by.rules) {
        const reading = this.#readings.get(one.recogniser.reads)
        const spans =
          reading === undefined
            ? one.recogniser.find(this.#raw, this.#settled)
            : one.recogniser.find(reading.folded.text, reading.from)
        for (const { start, end, entity } of spans) {
          const placed = reading === undefined ? { start, end } : rawSpan(reading.folded, start, end)
          found.push({ ...placed, entity, by, rule: one })
        }
      }
    }
    return found
  }

  #releaseUpTo(open: number, found: readonly Match[]): Released {
    let until = open
    // A match that reaches over the border waits, and so does what it overlaps with.
    for (let moved = true; moved;) {
      const over = found.find((match) => match.start < until && match.end > until)
      moved = over !== undefined
      if (over !== undefined) until = over.start
    }
    const decided = found.filter((match) => match.end <= until)
    for (const { by, entity } of decided) this.#findings.push({ guardrail: by.guardrail, action: by.action, entity })
    const blocking = decided.filter(({ by }) => by.action === 'block').toSorted((a, b) => a.start - b.start)[0]
    const masking = decided.filter(({ by }) => by.action === 'rewrite')
    const stop = beforeCrossing(masking, blocking?.start ?? until)
    const masks = joinOverlaps(masking.filter(({ end }) => end <= stop))
    let text = ''
    let at = this.#settled
    for (const { start, end, rule } of masks) {
      text += this.#raw.slice(at, start) + rule.mask(this.#raw.slice(start, end))
      at = end
    }
    text += this.#raw.slice(at, stop)
    if (blocking !== undefined) {
      this.#blockedBy = blocking.by.guardrail
      this.#reason = blocking.by.message === '' ? describeFindings([blocking.entity], 'block') : blocking.by.message
    }
    this.#settle(until)
    const offset = this.#released
    this.#released += text.length
    return { offset, text, blockedBy: this.#blockedBy, reason: this.#reason }
  }

  #settle(until: number): void {
    this.#settled = until
    for (const reading of this.#readings.values()) {
      const { folded } = reading
      while (reading.from < folded.text.length && folded.rawStart(reading.from) < until) reading.from += 1
    }
  }

  #nothing(): Released {
    return { offset: this.#released, text: '', blockedBy: this.#blockedBy, reason: this.#reason }
  }
}

/** A match that reaches over the border waits, and so does what it overlaps with. */
function beforeCrossing(matches: readonly Match[], border: number): number {
  for (let at = border; ;) {
    const over = matches.find(({ start, end }) => start < at && end > at)
    if (over === undefined) return at
    at = over.start
  }
}

function rawSpan(folded: FoldedText, start: number, end: number): { start: number; end: number } {
  return { start: folded.rawStart(start), end: folded.rawEnd(end) }
}

function isHighSurrogate(text: string, at: number): boolean {
  return at >= 0 && (text.charCodeAt(at) & 0xfc00) === 0xd800
}
