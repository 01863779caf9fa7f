import type { Reading } from '../facts/reading.ts'
import { GENERIC } from '#shared/text/words.ts'
import type { Filling } from './filling.ts'
import type { Leaf } from './leaf.ts'

const NEGATIONS = new Set(
  'no not without excluding exclude except never avoid skip disable off false "don\'t" don\'t dont non'.split(' '),
)
/** What a flag's name says besides its subject. */
const FLAG_WORDS = new Set([
  'includ',
  'is',
  'has',
  'enabl',
  'allow',
  'us',
  'show',
  'with',
  'flag',
  'requir',
  'want',
  'only',
  'set',
  'return',
])
const REACH_WORDS = 4

/**
 * A flag is true when the message names its subject, false when it names it under a negation, and unknown otherwise.
 * `include_human_impact` is named by "including human impact".
 */
function readFlag(reading: Reading, leaf: Leaf, toolHead: ReadonlySet<string>): boolean | null {
  const cues = leaf.nameCues.filter((cue) => !FLAG_WORDS.has(cue) && !GENERIC.has(cue))
  const subject = cues.length > 0 ? cues : leaf.nameCues.filter((cue) => !FLAG_WORDS.has(cue))
  if (subject.length === 0) return null
  // What the tool is about is said in every request for it, and sets no flag.
  const telling = subject.filter((cue) => !toolHead.has(cue))
  const wanted = telling.length > 0 ? telling : []
  if (wanted.length === 0) return null
  const hits = wanted.map((cue) => reading.words.findIndex((word) => sameSubject(word.stem, cue)))
  const found = hits.filter((at) => at >= 0)
  // An optional flag is set by its whole name; one that must be answered, by most of it.
  if (found.length < (leaf.required ? Math.ceil(wanted.length / 2) : wanted.length)) return null
  const at = Math.min(...found)
  const before = reading.words.slice(Math.max(0, at - REACH_WORDS), at).map((word) => word.lower)
  return !before.some((word) => NEGATIONS.has(word))
}

function sameSubject(said: string, cue: string): boolean {
  if (said === cue) return true
  return cue.length >= 4 && said.length >= 4 && (said.startsWith(cue) || cue.startsWith(said))
}

/** A bare yes or no to the question about a flag. */
export function readYesNo(text: string): boolean | null {
  if (/^\s*(?:y|yes|yeah|yep|sure|of course|please do|true|ok(?:ay)?|definitely|absolutely)\b/i.test(text)) return true
  if (/^\s*(?:n|no|nope|nah|false|never|not? thanks?|don['’]?t)\b/i.test(text)) return false
  return null
}

export function fillFlags(filling: Filling): void {
  const { reading, leaves, card } = filling
  const head = new Set(card.head)
  for (const leaf of leaves) {
    if (leaf.slot.type !== 'boolean' || leaf.slot.choices !== null) continue
    const flag = readFlag(reading, leaf, head)
    if (flag !== null) filling.take(leaf, flag)
  }
}
