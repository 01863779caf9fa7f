import type { Leaf } from '../slots/leaf.ts'
import { splitName } from '#shared/text/words.ts'

const MAX_LISTED_CHOICES = 12
const MAX_SUBJECT_CHARS = 120

/** The question for a slot, in the words of its schema. The same slot is always asked in the same words: that is how the
 * model knows, from the conversation alone, what it had asked. */
export function askFor(leaf: Leaf): string {
  const { slot } = leaf
  if (slot.ask !== null) return slot.ask
  const subject = subjectOf(leaf)
  if (slot.choices !== null && slot.choices.length > 0) {
    const listed = slot.choices.slice(0, MAX_LISTED_CHOICES).map(String)
    return `Which ${plainName(leaf)}: ${enumerate(listed)}${slot.choices.length > MAX_LISTED_CHOICES ? ' …' : ''}?`
  }
  if (slot.type === 'boolean') return `${capital(subject)}: yes or no?`
  const example = exampleOf(leaf)
  return `What is the ${subject}?${example === null ? '' : ` For example ${example}.`}`
}

/** The description up to its first aside, without article; the name when there is none. */
function subjectOf(leaf: Leaf): string {
  const told = leaf.slot.description
    .split(
      /[.;:(\n]|,\s*(?:e\.?g|for example|such as|like|in |for instance)|\be\.g\b|\bsuch as\b|\bfor example\b/i,
      1,
    )[0]
    ?.trim()
    .replace(/,$/, '')
    .replace(/^(?:the|a|an|optional|required)\s+/i, '')
    .replace(/^(?:whether(?: or not)?(?: to)?|if|set to true if|true if|flag (?:to|for))\s+/i, '')
  if (
    told === undefined ||
    told.length < 3 ||
    told.length > MAX_SUBJECT_CHARS ||
    /^(?:what|which|who|when|where|why|how)\b/i.test(told)
  )
    return plainName(leaf)
  return told.slice(0, 1).toLowerCase() + told.slice(1)
}

function plainName(leaf: Leaf): string {
  return leaf.path.flatMap((part) => splitName(part)).join(' ')
}

function exampleOf(leaf: Leaf): string | null {
  const given = leaf.slot.examples[0]
  if (typeof given === 'string' || typeof given === 'number') return String(given)
  const told =
    /\b(?:e\.?g\.?|for example|for instance|such as)[:,]?\s*(?:'([^']{1,40})'|"([^"]{1,40})"|`([^`]{1,40})`|([^\s,;)]{1,40}))/i.exec(
      leaf.slot.description,
    )
  const said = told === null ? null : (told[1] ?? told[2] ?? told[3] ?? told[4] ?? null)
  return said === null ? null : said.replace(/[.,]$/, '')
}

function enumerate(listed: readonly string[]): string {
  return listed.length < 2 ? (listed[0] ?? '') : `${listed.slice(0, -1).join(', ')} or ${listed.at(-1)}`
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
