import { z } from 'zod'
import { foldText } from '#shared/lib/patterns/fold.ts'
import type { Rule } from '../rule.ts'
import { INJECTION_SIGNALS } from './injection-signals.ts'

/**
 * Attempts to take over the instructions of a model, by their wording. It stops what is copied and said every day, not a
 * determined attacker: against text from outside the structure stands (taint, tool policy), and this only warns.
 */
const Config = z.strictObject({
  /** `low` asks for more than one sign, `high` is content with a weak one. */
  sensitivity: z.enum(['low', 'medium', 'high']).default('medium'),
})

const THRESHOLD = { low: 1.5, medium: 1, high: 0.6 } as const
/** Sums of tenths are not exact. */
const ROUNDING = 1e-6
/** The beginning of a longer text is looked at, and its end: that is where they stand. */
const MAX_CHARS = 24_000
const MAX_HIDDEN_CHARS = 4_000

export const injection: Rule = {
  name: 'injection',
  stages: ['input', 'tool_result', 'output'],
  actions: ['block', 'flag'],
  compile(config, action) {
    const { sensitivity } = Config.parse(config)
    return (subject) => {
      const { score, signs } = suspicion(subject.parts.join('\n'))
      if (score < THRESHOLD[sensitivity] - ROUNDING) return null
      const what = "This looks like an attempt to change the assistant's instructions"
      return { reason: action === 'flag' ? `${what} (${signs.join(', ')}).` : `${what}.`, rewritten: null }
    }
  },
}

export function suspicion(text: string): { score: number; signs: string[] } {
  const readings = [...readingsOf(text)]
  let score = 0
  const signs: string[] = []
  for (const { name, weight, patterns } of INJECTION_SIGNALS) {
    if (!patterns.some((pattern) => readings.some((reading) => pattern.test(reading)))) continue
    score += weight
    signs.push(name)
  }
  return { score, signs }
}

/** The text without disguises, with look-alikes of other scripts as well, and what is hidden in it. */
function* readingsOf(text: string): Generator<string> {
  const seen = text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS / 2)}\n${text.slice(-MAX_CHARS / 2)}`
  const plain = foldText(seen, { lowerCase: true })
  yield plain
  const loose = foldText(seen, { lowerCase: true, lookalikes: true })
  if (loose !== plain) yield loose
  const tags = spelledInTags(seen)
  if (tags !== '') yield tags
  const decoded = decodedBlocks(seen)
  if (decoded !== '') yield decoded
}

/** Unicode tag characters are a second ASCII that nobody sees. */
function spelledInTags(text: string): string {
  let spelled = ''
  for (const [tag] of text.matchAll(/[\u{e0020}-\u{e007e}]/gu))
    spelled += String.fromCharCode(tag.codePointAt(0)! - 0xe0000)
  return spelled.toLowerCase().slice(0, MAX_HIDDEN_CHARS)
}

function decodedBlocks(text: string): string {
  const found: string[] = []
  for (const [block] of text.matchAll(/[A-Za-z0-9+/]{32,}={0,2}/g)) {
    const decoded = Buffer.from(block.slice(0, MAX_HIDDEN_CHARS), 'base64').toString('latin1')
    if (/^[\t\n\r -~]+$/.test(decoded) && decoded.includes(' ')) found.push(decoded.toLowerCase())
    if (found.length >= 8) break
  }
  return found.join('\n')
}
