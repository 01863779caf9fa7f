import type { Slot } from '../schema.ts'
import { stem } from '#shared/text/stem.ts'
import { GENERIC } from '#shared/text/words.ts'

/** What kind of text a string slot is after. It decides which shapes fit and which prepositions lead to them. */
export type Role =
  | 'origin'
  | 'destination'
  | 'place'
  | 'person'
  | 'company'
  | 'title'
  | 'topic'
  | 'message'
  | 'date'
  | 'time'
  | 'email'
  | 'url'
  | 'phone'
  | 'id'
  | 'currency'
  | 'language'
  | 'unit'
  | 'formula'
  | 'aspect'
  | 'thing'

const BY_NAME: readonly (readonly [Role, RegExp])[] = [
  ['email', /^e-?mails?$|^mail$/],
  ['url', /^(?:url|uri|link|website|webpage|endpoint|href)s?$/],
  ['phone', /^(?:phone|telephone|mobile|msisdn|fax)$/],
  ['currency', /^currenc(?:y|ies)$/],
  ['language', /^(?:language|lang|locale)$/],
  ['unit', /^(?:units?|measurement|metric)$/],
  ['formula', /^(?:function|equation|expression|formula|polynomial)$/],
  ['origin', /^(?:from|origin|source|departure|depart|pickup|starting|start)$/],
  ['destination', /^(?:to|destination|dest|target|arrival|arrive|dropoff|end|ending)$/],
  ['date', /^(?:date|day|month|dob|birthday|birthdate|deadline|checkin|checkout|when)$/],
  ['time', /^(?:time|hour|clock)$/],
  [
    'id',
    /^(?:id|ids|uuid|guid|sku|code|reference|ref|ticker|symbol|zip|zipcode|postcode|isbn|imei|vin|serial|tracking|no|hash)$/,
  ],
  [
    'place',
    /^(?:city|cities|location|place|country|state|region|area|address|town|village|county|province|district|venue|neighborhood|continent|where|geo|territory|destination)s?$/,
  ],
  [
    'person',
    /^(?:person|player|actor|actress|artist|author|director|user|customer|patient|employee|composer|singer|celebrity|leader|president|recipient|sender|lawyer|attorney|owner|contact|assignee|employer|athlete|writer|musician|painter|scientist|username|name|driver|passenger|guest|plaintiff|defendant|party|parties)s?$/,
  ],
  [
    'company',
    /^(?:company|companies|brand|manufacturer|organization|organisation|employer|store|restaurant|hotel|museum|school|university|college|hospital|team|club|league|airline|bank|stock|band|shop|vendor|provider|park|building|exchange|publisher|platform|court)s?$/,
  ],
  [
    'title',
    /^(?:title|movie|book|song|game|film|album|show|series|painting|sculpture|artwork|play|track|event|festival)s?$/,
  ],
  [
    'message',
    /^(?:text|content|message|body|prompt|note|comment|reason|description|sentence|task|todo|issue|instruction|problem|summary|feedback|reminder|review|complaint)s?$/,
  ],
  ['topic', /^(?:topic|subject|query|q|keyword|question|search|term|input|about|theme|interest)s?$/],
]

const PROPER: ReadonlySet<Role> = new Set(['origin', 'destination', 'place', 'person', 'company', 'title', 'language'])

export function roleOf(nameWords: readonly string[], description: string, slot: Slot): Role {
  if (slot.format === 'email') return 'email'
  if (slot.format === 'uri' || slot.format === 'url') return 'url'
  if (slot.format === 'date' || slot.format === 'date-time') return 'date'
  if (slot.format === 'time') return 'time'
  if (slot.format === 'uuid') return 'id'
  if (DATE_SHAPE.test(slot.description)) return 'date'
  const words = nameWords.filter((word) => !/^\d+$/.test(word))
  if (words.length > 1 && words.at(-1) === 'by') return 'person'
  // The last word is what the slot is (`start_date` is a date); an earlier one says which (`from_city`).
  const head = words.at(-1) ?? ''
  if (KINDS.test(head)) return 'thing'
  if (ASPECTS.test(head)) return 'aspect'
  const last = roleOfWord(head)
  // `target` of a conversion: the description says of what.
  if (last === 'origin' || last === 'destination') {
    const what = /\b(currency|language|unit|date|month|day)\b/.exec(description)?.[1]
    if (what !== undefined) return what === 'month' || what === 'day' ? 'date' : (what as Role)
  }
  const first = words.length > 1 ? roleOfWord(words[0] ?? '') : null
  if (last === 'place' || last === 'currency' || last === 'unit' || last === null) {
    if (first === 'origin' || first === 'destination')
      return last === 'currency' ? 'currency' : last === 'unit' ? 'unit' : first
  }
  if (last === 'person' && words.at(-1) === 'name' && words.length > 1)
    return first ?? roleOfWord(words.at(-2) ?? '') ?? 'person'
  if (last === 'person' && words.at(-1) === 'name') return fromDescription(description) ?? 'person'
  if (last !== null) return last
  if (first !== null) return first
  // A name that tells nothing (`value`, `name1`) leaves it to the description; another to its first words.
  const opaque = words.every((word) => GENERIC.has(stem(word)))
  return fromDescription(description, opaque ? DESCRIPTION_WORDS : FIRST_WORDS) ?? 'thing'
}

export function isPlace(role: Role): boolean {
  return role === 'place' || role === 'origin' || role === 'destination'
}

export function isProper(role: Role): boolean {
  return PROPER.has(role)
}

function roleOfWord(word: string): Role | null {
  for (const [role, pattern] of BY_NAME) if (pattern.test(word)) return role
  return null
}

/** `The name of the city …`: the first noun of the description that has a role. */
function fromDescription(description: string, within = DESCRIPTION_WORDS): Role | null {
  for (const word of description.split(/[^a-z]+/).slice(0, within)) {
    if (
      word === 'name' ||
      word === 'source' ||
      word === 'start' ||
      word === 'end' ||
      word === 'to' ||
      word === 'from' ||
      word === 'no' ||
      word === 'time'
    )
      continue
    const role = roleOfWord(word)
    if (role !== null) return role
  }
  return null
}

/** What kind of a thing is never its name. */
const KINDS = /^(?:type|kind|genre|category|style|mode|method|class|level|variant|format)s?$/
/** What is to be known of a thing: `the boiling point of mercury`. */
const ASPECTS =
  /^(?:property|properties|attribute|detail|details|info|information|aspect|stat|stats|statistic|statistics|feature|field|metric|parameter|characteristic)s?$/
const DESCRIPTION_WORDS = 12
const FIRST_WORDS = 3
const DATE_SHAPE = /\b(?:yyyy|mm|dd)[-/.](?:yyyy|mm|dd)\b/i

export function isPreposition(word: string): boolean {
  return word !== 'and' && LEADS[word] !== undefined
}

/** How strongly a preposition right before a span leads to each role. */
const LEADS: Readonly<Record<string, Partial<Record<Role, number>>>> = {
  from: { origin: 1, place: 0.5, company: 0.8, person: 0.3, thing: 0.3, topic: 0.1, currency: 0.5, language: 0.5 },
  to: { destination: 1, place: 0.6, person: 0.6, currency: 0.5, language: 0.7, thing: 0.3 },
  into: { destination: 0.8, language: 1, currency: 0.5, thing: 0.3 },
  in: {
    place: 1,
    destination: 0.4,
    origin: 0.2,
    language: 0.7,
    currency: 0.5,
    company: 0.3,
    title: 0.4,
    thing: 0.4,
    unit: 1,
    topic: 0.2,
  },
  at: { place: 0.8, company: 0.8, thing: 0.3 },
  near: { place: 1 },
  around: { place: 0.9 },
  within: { place: 0.6 },
  between: { origin: 0.9, place: 0.6, person: 0.6, thing: 0.5 },
  and: { destination: 0.5, thing: 0.1 },
  by: { person: 1, company: 0.5, thing: 0.2 },
  for: { person: 0.5, company: 0.6, title: 0.6, topic: 0.6, place: 0.5, thing: 0.6, destination: 0.3 },
  of: { company: 0.7, title: 0.7, person: 0.6, place: 0.6, topic: 0.6, thing: 0.7, formula: 0.6 },
  about: { topic: 1, thing: 0.6, person: 0.5, title: 0.5, company: 0.5 },
  on: { topic: 0.9, thing: 0.4, company: 0.4 },
  regarding: { topic: 1, thing: 0.5 },
  during: { thing: 1, title: 1, topic: 0.8 },
  with: { person: 0.5, thing: 0.5, topic: 0.2 },
  named: { person: 1, title: 1, thing: 1, company: 1 },
  called: { person: 1, title: 1, thing: 1, company: 1 },
  titled: { title: 1.2, topic: 1 },
  saying: { topic: 1, message: 1.4 },
  says: { topic: 1, message: 1.4 },
  because: { message: 1.2 },
  that: { message: 0.8 },
  as: { thing: 0.3 },
  using: { thing: 0.5 },
  via: { thing: 0.5 },
  function: { formula: 0.8 },
  equation: { formula: 0.8 },
}

export function leadsTo(preposition: string, role: Role): number {
  return LEADS[preposition]?.[role] ?? 0
}
