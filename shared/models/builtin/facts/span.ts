import { GENERIC } from '#shared/text/words.ts'
import type { Word } from '#shared/text/words.ts'
import type { TextFact } from './fact.ts'

const QUOTED =
  /(?<![\p{L}\p{N}])(?:"([^"\n]{1,600})"|“([^”\n]{1,600})”|«([^»\n]{1,600})»|`([^`\n]{1,600})`|‘([^’\n]{1,600})’(?![\p{L}])|'([^\n]{1,600}?)'(?![\p{L}\p{N}]))/gu

/** What stands in quotation marks, without them. An apostrophe inside a word closes nothing. */
export function readQuoted(text: string): TextFact[] {
  const facts: TextFact[] = []
  for (const match of text.matchAll(QUOTED)) {
    const inner = match.slice(1).find((group) => group !== undefined) ?? ''
    const said = inner.trim().replace(/[,;]$/, '')
    if (said === '') continue
    const start = match.index + match[0].indexOf(inner)
    facts.push({ kind: 'quoted', start, end: start + inner.length, text: said })
  }
  return facts
}

const CODE =
  /(?<![\p{L}\p{N}])(?:[A-Za-z][\w.-]{1,60}\/[A-Za-z][\w.-]{1,60}(?:,[A-Za-z][\w.-]{1,60}\/[A-Za-z][\w.-]{1,60})*|[A-Za-z]:[\\/][\w\\/.-]+|\/(?:[\w.-]+\/)+[\w.-]+|[\w-]+\.(?:csv|json|txt|pdf|docx?|xlsx?|xml|ya?ml|png|jpe?g|gif|mp[34]|py|js|ts|html?|zip|log|sql|db|md)\b|#?[A-Za-z]*\d[\w-]*[A-Za-z\d](?:\/[\w-]*[A-Za-z][\w-]*)?|#\d+|[A-Za-z]+(?:[-_][A-Za-z\d]+)*[-_]?\d[\w-]*|[A-Za-z]+(?:_[A-Za-z\d]+)+)(?![\p{L}\p{N}])/gu

/** Order numbers, SKUs, file names, paths, identifiers: words that are no words. */
export function readCodes(text: string): TextFact[] {
  return [...text.matchAll(CODE)]
    .map((match) => ({ kind: 'code' as const, start: match.index, end: match.index + match[0].length, text: match[0] }))
    .filter((fact) => !/^\d+(?:st|nd|rd|th)$/i.test(fact.text))
}

const CONNECTOR = /^(?:\s+(?:of|the|de|la|le|du|del|da|di|von|van|der|den|and the|of the|&)\s+|\s*&\s*)$/
const BESIDE = /^(?:\s+|\.\s?|-|['’]|\s?\+\s?)$/

/** Runs of capitalised words: people, places, companies, titles. A sentence's first word counts only when it must. */
export function readNames(text: string, words: readonly Word[]): TextFact[] {
  const runs: { first: number; last: number }[] = []
  let open: { first: number; last: number } | null = null
  for (const [at, word] of words.entries()) {
    const abbreviated = ABBREVIATION.test(words[at - 1]?.text ?? '')
    const capital =
      isCapital(word) && (abbreviated || !(isSentenceStart(text, word) && isOrdinaryStart(text, word, words[at + 1])))
    if (!capital) {
      // `Guns N' Roses`, `Bank of America`: a small connector may stand between two capitals.
      const next = words[at + 1]
      const previous = open === null ? undefined : words[open.last]
      const joins =
        open !== null &&
        next !== undefined &&
        previous !== undefined &&
        isCapital(next) &&
        CONNECTOR.test(text.slice(previous.end, next.start))
      if (!joins) open = null
      continue
    }
    const previous = open === null ? undefined : words[open.last]
    const gap = previous === undefined ? '' : text.slice(previous.end, word.start)
    const abbreviation = previous !== undefined && ABBREVIATION.test(previous.text)
    if (
      open !== null &&
      previous !== undefined &&
      (BESIDE.test(gap) || CONNECTOR.test(gap)) &&
      (!gap.startsWith('. ') || abbreviation)
    ) {
      open.last = at
    } else {
      open = { first: at, last: at }
      runs.push(open)
    }
  }
  const names = runs.map((run) => nameOf(text, words, run))
  return [...names, ...joined(text, names)]
}

const ABBREVIATION = /^(?:mr|mrs|ms|dr|st|prof|inc|ltd|co|corp|jr|sr|[a-z])$/i

/** `Pride and Prejudice`: two names that may be one title. */
export function pairsOfNames(text: string, names: readonly TextFact[]): TextFact[] {
  return names.flatMap((first, i) => {
    const second = names[i + 1]
    if (second === undefined || !/^ (?:and|&|or) (?:the )?$/.test(text.slice(first.end, second.start))) return []
    return [{ kind: 'pair' as const, start: first.start, end: second.end, text: text.slice(first.start, second.end) }]
  })
}

/** `King of France` is a name, and so are its ends; `Van Gogh's Starry Night` is two. */
export function endsOfName(name: TextFact): TextFact[] {
  const owned = /^(.+?)['’]s?\s+(.+)$/u.exec(name.text)
  if (owned !== null && name.parts === undefined) {
    const [, owner = '', thing = ''] = owned
    const at = name.end - thing.length
    return [
      { kind: 'end', start: name.start, end: name.start + owner.length, text: owner },
      { kind: 'end', start: at, end: name.end, text: thing },
    ]
  }
  const match = /^(.+?)(\s+(?:of|and|in|for|at)(?:\s+the)?\s+)(.+)$/.exec(name.text)
  if (match === null || name.parts !== undefined) return []
  const [, first = '', joint = '', last = ''] = match
  const start = name.start + first.length + joint.length
  return [
    { kind: 'end', start: name.start, end: name.start + first.length, text: first },
    { kind: 'end', start, end: start + last.length, text: last },
  ]
}

function nameOf(text: string, words: readonly Word[], run: { first: number; last: number }): TextFact {
  const start = words[run.first]?.start ?? 0
  let end = words[run.last]?.end ?? start
  const last = text.slice(start, end)
  // `Washington D.C.` and `ABC Ltd.` keep their dot; a possessive is not part of a name.
  if (text[end] === '.' && /(?:\.[A-Z]|\b(?:Ltd|Inc|Corp|Co|Jr|Sr))$/.test(last)) end += 1
  const hyphenated = /^(?:-[\p{L}\p{N}]+)+/u.exec(text.slice(end, end + 40))
  if (hyphenated !== null) end += hyphenated[0].length
  if (text[end] === '+' || text[end] === '#') end += 1
  const said = text.slice(start, end).replace(/['’]s$/, '')
  return { kind: 'name', start, end: start + said.length, text: said }
}

/** `Paris, France`, `Denver, CO`: a place with what it lies in; not `Paris, London and Rome`. */
function joined(text: string, names: readonly TextFact[]): TextFact[] {
  const made: TextFact[] = []
  for (let i = 0; i + 1 < names.length; i += 1) {
    const [first, second] = [names[i], names[i + 1]]
    if (first === undefined || second === undefined || text.slice(first.end, second.start) !== ', ') continue
    const before = i > 0 ? text.slice(names[i - 1]?.end ?? 0, first.start) : ''
    const third = names[i + 2]
    const after = third === undefined ? '' : text.slice(second.end, third.start)
    if (before === ', ' || /^,? (?:and|or|&) $|^, $/.test(after)) continue
    made.push({
      kind: 'name',
      start: first.start,
      end: second.end,
      text: text.slice(first.start, second.end),
      parts: [first.text, second.text],
    })
  }
  return made
}

function isCapital(word: Word): boolean {
  return /^\p{Lu}/u.test(word.text) && !(word.text === 'I' || /^I['’]/.test(word.text))
}

function isSentenceStart(text: string, word: Word): boolean {
  return (
    /(?:^|[.!?:]["'”’)]?\s+|\n\s*|^\s*["'“‘(]\s*)$/.test(text.slice(Math.max(0, word.start - 4), word.start)) ||
    word.start === 0
  )
}

/** Whether a sentence's first word is capital only for standing there. `Maria Lopez was …` begins with a name. */
function isOrdinaryStart(text: string, word: Word, next: Word | undefined): boolean {
  if (/['’]s$/.test(word.text) && !word.stop) return false
  if (word.stop || GENERIC.has(word.stem) || IMPERATIVES.has(word.lower)) return true
  const goesOn = next !== undefined && isCapital(next) && /^\s$/.test(text.slice(word.end, next.start))
  if (goesOn && !/(?:ing|ed)$/.test(word.lower)) return false
  return !/[\p{Lu}\d].*[\p{Lu}\d]/u.test(word.text)
}

/** Verbs people begin a request with: at the start of a sentence they are no part of a name. */
export const IMPERATIVES = new Set(
  `accept activate add adjust advise alert allocate analyze analyse announce answer append apply approve archive arrange ask
  assess assign attach authorize begin bill block book boost broadcast browse buy calculate call cancel change charge check
  choose clean clear close combine compare compile compose compute confirm connect contact convert copy count create cut
  deactivate decide decline decrease define delete deliver deploy describe design detect determine develop dial disable
  discuss dispatch display divide do download draft draw edit email enable encrypt enroll enter escalate estimate evaluate
  examine execute explain export extract fetch file fill filter find fix follow forecast format forward gather generate get
  give go google grab grant group guess hand help hire hold identify import improve include increase inform initiate insert
  inspect install invite issue join keep kill launch learn leave let lift limit link list listen load locate lock log look
  lower mail make manage map mark match measure meet mention merge message mix modify monitor move multiply mute name
  navigate notify offer open optimize order organize pair park pause pay perform pick place plan play plot post predict
  prepare present press prevent print proceed process produce promote propose provide publish pull purchase push put query
  quote raise rank rate read rearrange recalculate recommend record redeem reduce refer refund register reject release
  remind remove rename rent repair repeat replace reply report request reschedule reserve reset resolve restart restore
  retrieve return review ring roll rotate round route run save scan schedule search secure select sell send serve set share
  ship show shuffle sign simulate skip solve sort specify split start stop store stream submit subscribe subtract suggest
  sum summarize supply support suspend swap switch synchronize tag take talk tell terminate test text toggle track trade
  train transfer transform translate trigger tune turn tweet type unblock unlock unsubscribe update upgrade downgrade upload
  use validate verify view visit visualize wait wake warn watch weigh withdraw write given assume suppose`.split(/\s+/),
)

/** Runs of content words. `within` cuts at words it refuses, so that `Thai food` yields `Thai` when the slot is the food. */
export function readPhrases(text: string, words: readonly Word[], within: (word: Word) => boolean): TextFact[] {
  const facts: TextFact[] = []
  let first: Word | null = null
  let last: Word | null = null
  const close = (): void => {
    if (first !== null && last !== null)
      facts.push({ kind: 'phrase', start: first.start, end: last.end, text: text.slice(first.start, last.end) })
    first = null
    last = null
  }
  for (const [at, word] of words.entries()) {
    const previous: Word | null = last
    // `billing-api`: what a hyphen joins stays together.
    const joined = text[word.start - 1] === '-' && previous !== null && (previous as Word).end === word.start - 1
    const next = words[at + 1]
    const joins =
      text[word.end] === '-' && next !== undefined && next.start === word.end + 1 && !next.stop && within(next)
    const kept = within(word) || joined || joins
    const gap = previous === null ? '' : text.slice((previous as Word).end, word.start)
    if (word.stop || !kept || !/^[\s\-_/'’]?$/.test(gap)) close()
    if (word.stop || !kept) continue
    first ??= word
    last = word
  }
  close()
  return facts
}
