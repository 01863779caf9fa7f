import { quoteFrom } from '#shared/ranking/quote.ts'
import type { Quote } from '#shared/ranking/quote.ts'

import type { ModelRequest, ToolCallMade } from '../driver.ts'
import type { Passage } from '../passages.ts'
import { askFor } from './answer/ask.ts'
import { renderResult } from './answer/render-result.ts'
import { offer, readSmallTalk, reply } from './answer/small-talk.ts'
import { FLOOR, MARGIN, fitOf, isWorthAsking, rankTools } from './choose-tool.ts'
import type { Ranked } from './choose-tool.ts'
import { callOf, freshResults, lastHumanText, pastCalls, readConversation } from './conversation.ts'
import type { Conversation } from './conversation.ts'
import type { LocalDate } from './facts/date.ts'
import { MAX_TEXT_CHARS, readMessage } from './facts/reading.ts'
import type { Reading } from './facts/reading.ts'
import { findPending, readAnswer } from './pending.ts'
import type { Pending } from './pending.ts'
import { carryOver } from './carry-over.ts'
import { structuredAnswer } from './structured.ts'
import { at, withValue } from './slots/args.ts'
import { fillSlots } from './slots/fill-slots.ts'
import type { Filled } from './slots/fill-slots.ts'
import type { Leaf } from './slots/leaf.ts'
import { currenciesIn, languagesIn } from './slots/named-slots.ts'
import type { Role } from './slots/role.ts'
import { cardOf } from './tool-card.ts'
import type { ToolCard } from './tool-card.ts'

/**
 * What the builtin model does next. It is a function of the request and of today's date, and holds nothing between calls.
 *
 * B1  It states no fact that is not a quoted span of a supplied passage or part of a tool result.
 * B2  It fills a slot only with what somebody said, what the conversation holds under the same name, or a default the
 *     schema documents; it asks for the first required slot it cannot fill.
 * B3  It calls no tool that does not fit, and says so.
 */
export type Decision =
  | { readonly kind: 'call'; readonly calls: readonly Omit<ToolCallMade, 'id'>[] }
  | {
      readonly kind: 'say'
      readonly text: string
      readonly basis: Basis
      readonly marks: readonly number[]
      readonly asks?: Asked
    }

/** The slot a question is about. */
export interface Asked {
  readonly tool: string
  readonly slot: string
}

/** What an answer rests on; goes into the response metadata. */
export type Basis = 'tool-result' | 'passages' | 'question' | 'small-talk' | 'nothing-fits' | 'not-in-documents'

export function decide(request: ModelRequest, today: LocalDate): Decision {
  const conversation = readConversation(request.messages)
  const cards = request.toolChoice === 'none' ? [] : request.tools.map(cardOf)
  const { toolChoice } = request
  const forced = typeof toolChoice === 'object' ? cards.find((card) => card.tool.name === toolChoice.name) : undefined
  if (forced !== undefined) return forcedCall(forced, conversation, today)
  if (toolChoice === 'any' && cards.length === 1 && cards[0] !== undefined)
    return forcedCall(cards[0], conversation, today)

  const results = freshResults(conversation)
  if (results.length > 0) return answerFromResults(conversation, request)

  const text = lastHumanText(conversation)
  const reading = readMessage(text, today)
  if (toolChoice === 'any') {
    const ranked = rankTools(reading.words, cards)[0]
    if (ranked !== undefined)
      return { kind: 'call', calls: [{ name: ranked.card.tool.name, args: fillSlots(ranked.card, reading).args }] }
  }
  const talk = readSmallTalk(text)
  const pending =
    talk === 'cancel'
      ? null
      : findPending(conversation, cards, today, (said) => {
          const alone = { turns: [], passages: [] }
          return chooseFor(readMessage(said, today), cards, alone, today)?.card ?? null
        })
  if (pending !== null) {
    const answered = answerPending(pending, reading, cards, conversation, today)
    if (answered !== null) return answered
  }
  if (talk !== null && pending === null) return say(reply(talk, request.tools), 'small-talk')

  const chosen = chooseFor(reading, cards, conversation, today)
  const question = quoteFrom(text, conversation.passages)
  const several = severalCalls(text, cards, conversation, today)
  if (several !== null) return { kind: 'call', calls: several }
  if (chosen !== null && (question.quotes.length === 0 || chosen.filled.missing.length === 0))
    return callOrAsk(chosen.card, chosen.filled)
  if (question.quotes.length > 0) return quoted(question.quotes)
  const again = chosen === null ? followUp(reading, cards, conversation) : null
  if (again !== null) return again
  if (pending !== null) return ask(pending.card, pending.leaf, 'I did not find that in your answer. ')
  return nothing(conversation, request)
}

const CLAUSE =
  /(?:[.?!;]+\s+|,?\s+(?:and|then|and then|and also|also)\s+(?:please\s+)?(?=(?:what|where|when|who|how|is|are|can|could|i)\b|[a-z]+\s+(?:me|my|the|a|an|order|all|it|\d)))/iu
const MAX_CALLS = 4
/** A clause that is a request by itself, and begins like one. */
const CLEAR_FIT = 0.5
const OPENS =
  /^\s*(?:please\s+|could you\s+|can you\s+|i(?:['’]d like to| want to| need to)\s+)?(?!do\b|don|not\b|assum|given\b|if\b|with\b|include)[a-z]+/iu

/** `Where is order 1042, and refund order 1043`: two requests, when each half is one by itself, complete and clear. */
function severalCalls(
  text: string,
  cards: readonly ToolCard[],
  conversation: Conversation,
  today: LocalDate,
): Omit<ToolCallMade, 'id'>[] | null {
  const clauses = text
    .slice(0, MAX_TEXT_CHARS)
    .split(CLAUSE)
    .filter((clause) => clause.trim() !== '')
  if (clauses.length < 2 || clauses.length > MAX_CALLS) return null
  const calls: Omit<ToolCallMade, 'id'>[] = []
  for (const clause of clauses) {
    const chosen = chooseFor(readMessage(clause, today), cards, conversation, today)
    if (
      chosen === null ||
      chosen.fit < CLEAR_FIT ||
      !OPENS.test(clause) ||
      chosen.filled.missing.length > 0 ||
      chosen.filled.said < chosen.filled.leaves.filter((leaf) => leaf.required).length
    )
      return null
    const again = calls.some((call) => call.name === chosen.card.tool.name)
    if (again && chosen.filled.said === 0) return null
    calls.push({ name: chosen.card.tool.name, args: chosen.filled.args })
  }
  return new Set(calls.map((call) => JSON.stringify(call))).size > 1 ? calls : null
}

/** Values that only some tools take. */
function kindsIn(reading: Reading): ReadonlySet<Role> {
  const kinds = new Set<Role>()
  if (reading.emails.length > 0) kinds.add('email')
  if (reading.urls.length > 0) kinds.add('url')
  if (reading.phones.length > 0) kinds.add('phone')
  if (reading.formulas.length > 0) kinds.add('formula')
  if (currenciesIn(reading).length > 1) kinds.add('currency')
  if (languagesIn(reading).length > 0) kinds.add('language')
  return kinds
}

interface Chosen {
  readonly card: ToolCard
  readonly filled: Filled
  readonly fit: number
}

/** The tool that is meant, with its slots; null when none fits. */
function chooseFor(
  reading: Reading,
  cards: readonly ToolCard[],
  conversation: Conversation,
  today: LocalDate,
): Chosen | null {
  const ranked = rankTools(reading.words, cards, kindsIn(reading))
  const best = ranked[0]
  if (best === undefined) return null
  // One tool far ahead of the others is meant with less proof than one alone.
  const floor = best.score > (ranked[1]?.score ?? Number.POSITIVE_INFINITY) * CLEAR_LEAD ? FLOOR - LEAD_BONUS : FLOOR
  const near = ranked.filter((one) => one.score >= best.score * NEAR_SHARE).slice(0, MAX_CONSIDERED)
  const fits = near
    .map((one) => ({ one, ...fill(one, reading, conversation, today) }))
    .filter(({ one, fit, filled }) => fit >= floor || (filled.missing.length > 0 && isWorthAsking(one)))
  const first = fits[0]
  if (first === undefined) return null
  // Where the words do not tell two tools apart, what can be filled does.
  const tied = fits.filter(({ one }) => one.score >= first.one.score * (1 - MARGIN))
  const winner = tied.toSorted((a, b) => b.fit - a.fit)[0] ?? first
  return { card: winner.one.card, filled: winner.filled, fit: winner.fit }
}

const NEAR_SHARE = 0.6
const MAX_CONSIDERED = 3
const CLEAR_LEAD = 1.5
const LEAD_BONUS = 0.6

function fill(
  one: Ranked,
  reading: Reading,
  conversation: Conversation,
  today: LocalDate,
): { filled: Filled; fit: number } {
  const said = fillSlots(one.card, reading)
  const filled = said.missing.length === 0 ? said : carryOver(one.card, said, reading.text, conversation, today)
  const required = said.leaves.filter((leaf) => leaf.required).length
  return { filled, fit: fitOf(one, { required, missing: filled.missing.length }) }
}

function callOrAsk(card: ToolCard, filled: Filled): Decision {
  const missing = filled.missing[0]
  if (missing !== undefined) return ask(card, missing)
  return { kind: 'call', calls: [{ name: card.tool.name, args: filled.args }] }
}

/** The message after a question of ours: it answers it, or it is about something else. */
function answerPending(
  { card, leaf, known, said }: Pending,
  reading: Reading,
  cards: readonly ToolCard[],
  conversation: Conversation,
  today: LocalDate,
): Decision | null {
  if (isOtherRequest(card, reading, cards)) return null
  const answer = readAnswer(leaf, reading)
  const base = answer === null ? known : withValue(known, leaf.path, answer.value)
  const filled = fillSlots(card, reading, base)
  if (at(filled.args, leaf.path) === undefined) return null
  return callOrAsk(card, carryOver(card, filled, said, conversation, today))
}

/** A whole new request names another tool by its own words; an answer hardly does. */
function isOtherRequest(card: ToolCard, reading: Reading, cards: readonly ToolCard[]): boolean {
  if (reading.words.filter((word) => !word.stop).length < MIN_REQUEST_WORDS) return false
  const best = rankTools(reading.words, cards)[0]
  return best !== undefined && best.card !== card && best.named > 0.5 && best.explained > 0.5
}

const MIN_REQUEST_WORDS = 2
const FOLLOW_UP = /^\s*(?:and|what about|how about|also|same for|now|then|or)\b/i
const MAX_FOLLOW_UP_WORDS = 4

/** `And 1043?`: the tool of before, with what is said now in place of what was said then. */
function followUp(reading: Reading, cards: readonly ToolCard[], conversation: Conversation): Decision | null {
  const content = reading.words.filter((word) => !word.stop).length
  if (!FOLLOW_UP.test(reading.text) && content > MAX_FOLLOW_UP_WORDS) return null
  const before = pastCalls(conversation)[0]
  const card = before === undefined ? undefined : cards.find((one) => one.tool.name === before.name)
  if (before === undefined || card === undefined) return null
  const filled = fillSlots(card, reading, {}, { defaults: false })
  if (filled.said === 0) return null
  const merged = fillSlots(card, NOTHING_READ(reading), { ...before.args, ...filled.args })
  return merged.missing.length === 0 ? { kind: 'call', calls: [{ name: card.tool.name, args: merged.args }] } : null
}

const NOTHING_READ = (reading: Reading): Reading => ({
  ...reading,
  text: '',
  words: [],
  numbers: [],
  dates: [],
  times: [],
  emails: [],
  urls: [],
  phones: [],
  quoted: [],
  names: [],
  codes: [],
  formulas: [],
})

function answerFromResults(conversation: Conversation, request: ModelRequest): Decision {
  const results = freshResults(conversation)
  if (conversation.passages.length > 0 && results.some((result) => result.text.includes('<passage n='))) {
    const question = quoteFrom(lastHumanText(conversation), conversation.passages)
    if (question.quotes.length > 0) return quoted(question.quotes)
  }
  const parts = results.map((result) => {
    const call = callOf(conversation, result.callId)
    const name = call?.name ?? result.name
    const tool = request.tools.find((one) => one.name === name)
    if (result.text.includes('<passage n=')) return NOT_IN_DOCUMENTS
    if (result.failed) return `That did not work: ${renderResult(result.text, null, {})}`
    return renderResult(result.text, tool?.template ?? null, call?.args ?? {})
  })
  return say([...new Set(parts)].join('\n\n'), 'tool-result')
}

function quoted(quotes: readonly Quote<Passage>[]): Decision {
  const text = quotes.map((quote) => `“${quote.text}” [${quote.passage.mark}]`).join(' ')
  return { kind: 'say', text, basis: 'passages', marks: [...new Set(quotes.map((quote) => quote.passage.mark))] }
}

const NOT_IN_DOCUMENTS = 'That is not in your documents.'

function nothing(conversation: Conversation, request: ModelRequest): Decision {
  const offered = offer(request.tools)
  if (conversation.passages.length > 0) {
    const titles = [
      ...new Set(conversation.passages.map((passage) => passage.title).filter((title) => title !== '')),
    ].slice(0, 3)
    const nearest = titles.length === 0 ? '' : ` The nearest I have: ${titles.join('; ')}.`
    return say(`${NOT_IN_DOCUMENTS}${nearest}`, 'not-in-documents')
  }
  return say(
    offered === null ? 'I have nothing I could answer that from.' : `I have nothing that fits that. ${offered}`,
    'nothing-fits',
  )
}

function forcedCall(card: ToolCard, conversation: Conversation, today: LocalDate): Decision {
  const reading = readMessage(lastHumanText(conversation), today)
  const filled = fillSlots(card, reading)
  const args = structuredAnswer(card, conversation, filled.args)
  return { kind: 'call', calls: [{ name: card.tool.name, args }] }
}

function ask(card: ToolCard, leaf: Leaf, before = ''): Decision {
  return {
    kind: 'say',
    text: before + askFor(leaf),
    basis: 'question',
    marks: [],
    asks: { tool: card.tool.name, slot: leaf.path.join('.') },
  }
}

function say(text: string, basis: Basis): Decision {
  return { kind: 'say', text, basis, marks: [] }
}
