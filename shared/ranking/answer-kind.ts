import { fold } from './read-terms.ts'

/**
 * What an answer to a question must hold, told from its question word: `when` a date, `who` a name, `how many` a number. A
 * sentence fits when it holds such a thing that the question itself did not say.
 */
export interface AnswerKind {
  readonly name: string
  readonly holds: RegExp
}

const NUMBER_WORDS =
  'one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|billions?|half|third|quarter|once|twice|double|single|several|none'
const NUMBER = new RegExp(String.raw`\d[\d.,]*|\b(?:${NUMBER_WORDS})\b`, 'giu')
const MONTHS = 'january|february|march|april|may|june|july|august|september|october|november|december'
const DATE = new RegExp(
  String.raw`\b(?:1\d|20)\d{2}s?\b|\b(?:${MONTHS})\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:century|centuries|decade|era|daily|weekly|monthly|annually)\b|\b\d{1,2}(?::\d{2}| ?[ap]\.?m)\b|\b(?:\d+|${NUMBER_WORDS}) (?:business |working )?(?:days?|hours?|weeks?|months?|years?|minutes?)\b`,
  'giu',
)
const DURATION = new RegExp(
  String.raw`\b(?:\d[\d.,]*|${NUMBER_WORDS}|a|an|few)[ -](?:\p{L}+ )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centur(?:y|ies))\b`,
  'giu',
)
const MONEY =
  /[$€£¥]\s?\d[\d.,]*|\d[\d.,]*\s?(?:[$€£¥]|dollars?|euros?|pounds?|cents?|usd|eur|gbp|million|billion)|\bfree\b/giu
const PERCENT = /\d[\d.,]*\s?(?:%|per ?cent)|\b(?:half|third|quarter|majority|most|all)\b/giu
const NAME = /\p{Lu}[\p{L}’'-]+(?:\s+(?:(?:of|de|van|von|the|and|al|bin)\s+)?\p{Lu}[\p{L}.’'-]*)*/gu
const REASON =
  /\b(?:because|since|due to|owing to|as a result|result of|so that|in order to|caused? by|led to|therefore|thus|reason|for the purpose|to (?:avoid|protect|prevent|ensure|make|keep|allow))\b/giu
const MANNER = /\b(?:by|through|via|using|with|first|then|click|press|select|open|go to|follow)\b/giu

const KINDS: readonly (readonly [RegExp, AnswerKind])[] = [
  [/\bhow (?:long|soon|fast|quick(?:ly)?)\b|\bwhat (?:duration|period)\b/, { name: 'duration', holds: DURATION }],
  [
    /\b(?:what|which) (?:percent(?:age)?|share|proportion|fraction)\b|\bhow much of\b/,
    { name: 'percent', holds: PERCENT },
  ],
  [
    /\bhow (?:much (?:does|do|did|is|was|will|money)|expensive)\b|\b(?:price|cost|fee)s?\b/,
    { name: 'money', holds: MONEY },
  ],
  [
    /\bhow (?:much|many|far|old|often|tall|big|large|high|deep|wide|heavy|hot|cold)\b|\b(?:what|which)(?: \w+)? (?:number|amount|size|age|distance|height|length|population|temperature|rank)\b/,
    { name: 'number', holds: NUMBER },
  ],
  [
    /\bwhen\b|\b(?:what|which)(?: \w+)? (?:year|years|date|day|time|month|century|decade|era)\b/,
    { name: 'date', holds: DATE },
  ],
  [
    /\bwho(?:m|se)?\b|\b(?:what|which)(?: \w+)? (?:person|man|woman|player|king|queen|president|leader|author|artist|scientist|company|organi[sz]ation|team)\b/,
    { name: 'name', holds: NAME },
  ],
  [
    /\bwhere\b|\b(?:what|which)(?: \w+)? (?:city|country|state|place|region|river|location|area|continent|town|street|nation)\b/,
    { name: 'place', holds: NAME },
  ],
  [/\bwhy\b|\bwhat (?:is|was|were|are)? ?(?:the )?(?:reason|cause|purpose)\b/, { name: 'reason', holds: REASON }],
  [/\bhow (?:do|does|did|can|could|to|is|are|was|were)\b/, { name: 'manner', holds: MANNER }],
]

export function answerKind(question: string): AnswerKind | null {
  const asked = question.toLowerCase()
  return KINDS.find(([cue]) => cue.test(asked))?.[1] ?? null
}

/** Whether a sentence holds what is wanted, beside what the question said. `asked` holds the question's words as `fold` has them. */
export function fitsKind(kind: AnswerKind, sentence: string, asked: ReadonlySet<string>): boolean {
  const first = /^\p{Lu}\p{Ll}+(?:\s|$)/u.exec(sentence)?.[0].length ?? 0
  for (const match of sentence.matchAll(kind.holds)) {
    // A sentence begins with a capital whatever it begins with.
    if (kind.holds === NAME && match.index === 0 && match[0].length < first + 1) continue
    const words = fold(match[0].toLowerCase()).match(/[\p{L}\p{N}]+/gu) ?? [match[0]]
    if (words.some((word) => !asked.has(word))) return true
  }
  return false
}
