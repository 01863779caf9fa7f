import { askFor } from './answer/ask.ts'
import type { Conversation, Turn } from './conversation.ts'
import { readMessage } from './facts/reading.ts'
import type { Reading } from './facts/reading.ts'
import type { LocalDate } from './facts/date.ts'
import { readYesNo } from './slots/boolean-slot.ts'
import { chooseAll } from './slots/choice-slot.ts'
import { at, withValue } from './slots/args.ts'
import { fillSlots } from './slots/fill-slots.ts'
import { leavesOf } from './slots/leaf.ts'
import type { Leaf } from './slots/leaf.ts'
import { fitsPattern } from './slots/pattern.ts'
import type { ToolCard } from './tool-card.ts'

/**
 * A question the model asked and is waiting for. It is not remembered anywhere: the conversation is all there is, and
 * since the same slot is always asked in the same words, the model recognises its own question in it.
 */
export interface Pending {
  readonly card: ToolCard
  readonly leaf: Leaf
  /** What had been filled before this message. */
  readonly known: Readonly<Record<string, unknown>>
  /** What the person said since asking for it. */
  readonly said: string
}

/** The tool that the model chooses for a message that stands alone. */
export type Chooser = (text: string) => ToolCard | null

export function findPending(
  conversation: Conversation,
  cards: readonly ToolCard[],
  today: LocalDate,
  choose: Chooser,
): Pending | null {
  const { turns } = conversation
  const last = turns.findLastIndex((turn) => turn.role === 'human')
  const asked = last > 0 ? turns[last - 1] : undefined
  if (asked === undefined || asked.role !== 'ai' || asked.calls.length > 0) return null
  const candidates = askedAbout(asked.text, cards)
  const before = turns.slice(0, last - 1)
  const found = candidates.length > 1 ? meantBy(candidates, before, choose) : candidates[0]
  return found === undefined ? null : { ...found, ...replay(before, found.card, cards, today) }
}

interface Question {
  readonly card: ToolCard
  readonly leaf: Leaf
}

function askedAbout(text: string, cards: readonly ToolCard[]): Question[] {
  const questions: Question[] = []
  for (const card of cards) {
    const leaf = leavesOf(card.slots).find((one) => one.required && text.endsWith(askFor(one)))
    if (leaf !== undefined) questions.push({ card, leaf })
  }
  return questions
}

/** Two tools may ask in the same words (`What is the order number?`): the one meant is the one last asked for. */
function meantBy(candidates: readonly Question[], turns: readonly Turn[], choose: Chooser): Question | undefined {
  const said = turns.filter((turn) => turn.role === 'human').slice(-MAX_ASKED_BACK)
  for (const turn of said.toReversed()) {
    const chosen = choose(turn.text)
    const found = candidates.find((question) => question.card === chosen)
    if (found !== undefined) return found
  }
  return candidates[0]
}

const MAX_ASKED_BACK = 4

/** Fills the tool again from what was said since it was first asked for. */
function replay(
  turns: readonly Turn[],
  card: ToolCard,
  cards: readonly ToolCard[],
  today: LocalDate,
): Pick<Pending, 'known' | 'said'> {
  const said: { text: string; leaf: Leaf | null }[] = []
  for (let i = turns.length - 1; i >= 0; i -= 1) {
    const turn = turns[i]
    if (turn === undefined || turn.role !== 'human') break
    const before = turns[i - 1]
    const question =
      before !== undefined && before.role === 'ai' && before.calls.length === 0
        ? askedAbout(before.text, cards).find((one) => one.card === card)
        : undefined
    const same = question !== undefined
    said.unshift({ text: turn.text, leaf: same ? question.leaf : null })
    if (!same) break
    i -= 1
  }
  let known: Readonly<Record<string, unknown>> = {}
  for (const { text, leaf } of said) {
    const reading = readMessage(text, today)
    const answered = leaf === null ? null : readAnswer(leaf, reading)
    if (leaf !== null && answered !== null) known = withValue(known, leaf.path, answered.value)
    known = fillSlots(card, reading, known, { defaults: false }).args
  }
  return { known, said: said.map((one) => one.text).join('\n') }
}

const LEAD_IN =
  /^(?:(?:it|that|this|they)(?:['’]s| is| are| was)|(?:my|the|our)\s+[\p{L} ]{1,40}?\s+(?:is|are|was)|i (?:think|believe|want|need|would like|choose|take)(?: it(?:['’]s| is))?|number|no\.?|for|to|from|in|at|on|please|sure|yes|ok(?:ay)?|well|um+|uh+)[\s,:]+/iu
const MAX_ANSWER_CHARS = 300

/** The value a message gives for the slot that was asked for; null when it gives none. */
export function readAnswer(leaf: Leaf, reading: Reading): { value: unknown } | null {
  const text = reading.text.trim()
  if (text === '') return null
  const { slot } = leaf
  if (slot.choices !== null) {
    const hit = chooseAll(reading, slot.choices, true, NO_WORDS)[0] ?? ordinal(text, slot.choices)
    return hit === null || hit === undefined ? null : { value: hit.value }
  }
  if (slot.type === 'boolean') {
    const said = readYesNo(text)
    return said === null ? null : { value: said }
  }
  const alone: ToolCard = { ...LONE_CARD, slots: [{ ...slot, required: true, fallback: undefined }] }
  const filled = at(fillSlots(alone, reading, {}, { defaults: false }).args, [slot.name])
  if (slot.type !== 'string' && slot.type !== 'any') return filled === undefined ? null : { value: filled }
  const bare = stripLeadIn(text)
  if (slot.pattern !== null) {
    if (filled !== undefined) return { value: filled }
    // A pattern we do not run is the tool's to check.
    return fitsPattern(slot.pattern, bare) === null && bare.length <= MAX_ANSWER_CHARS ? { value: bare } : null
  }
  if (['email', 'url', 'phone', 'date', 'currency', 'language'].includes(leaf.role)) {
    if (filled !== undefined) return { value: filled }
    if (leaf.role !== 'date') return null
  }
  if (/\?\s*$/.test(text) || bare.length > MAX_ANSWER_CHARS || bare === '') return null
  if (bare.split(/\s+/).length <= MAX_BARE_WORDS || leaf.role === 'message' || leaf.role === 'topic')
    return { value: bare.replace(/[.!]$/, '') }
  return { value: filled ?? bare.replace(/[.!]$/, '') }
}

const MAX_BARE_WORDS = 5
const NO_WORDS: ReadonlySet<string> = new Set()
const LONE_CARD: ToolCard = {
  tool: { name: 'answer', description: '', parameters: {}, examples: [], template: null },
  slots: [],
  terms: new Map(),
  head: [],
  subject: new Set(),
  examples: [],
  length: 1,
}

function stripLeadIn(text: string): string {
  let bare = text
  for (let i = 0; i < 3; i += 1) {
    const match = LEAD_IN.exec(bare)
    if (match === null || match[0].length >= bare.length) break
    bare = bare.slice(match[0].length)
  }
  return bare.trim().replace(/^["'“‘](.*)["'”’]$/su, '$1')
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth']

/** `the second one`, `2`: a choice by its place in the list that was read out. */
function ordinal(text: string, choices: readonly unknown[]): { value: unknown } | null {
  const place = ORDINALS.findIndex((word) => new RegExp(`^\\W*(?:the\\s+)?${word}\\b`, 'i').test(text))
  const number = /^\W*(\d{1,2})\W*$/.exec(text)
  const index =
    place >= 0
      ? place
      : number === null
        ? /^\W*(?:the\s+)?last\b/i.test(text)
          ? choices.length - 1
          : -1
        : Number(number[1]) - 1
  return index >= 0 && index < choices.length ? { value: choices[index] } : null
}
