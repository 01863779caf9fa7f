import { pastCalls } from './conversation.ts'
import type { Conversation } from './conversation.ts'
import { readMessage } from './facts/reading.ts'
import type { LocalDate } from './facts/date.ts'
import { isRecord } from './schema.ts'
import { at, withValue } from './slots/args.ts'
import { fillSlots } from './slots/fill-slots.ts'
import type { Filled } from './slots/fill-slots.ts'
import { MAX_TEXT_CHARS } from './facts/reading.ts'
import { isCue } from './slots/leaf.ts'
import type { Leaf } from './slots/leaf.ts'
import type { ToolCard } from './tool-card.ts'
import { readWords } from '#shared/text/words.ts'

/** How many earlier messages of the person are looked at. */
const MAX_LOOK_BACK = 4
const POINTS_BACK = /\b(?:it|its|that|this|them|those|these|same|one)\b/i

/**
 * `Refund it`: what is missing may have been said before. A value is taken from an earlier call or result of the same
 * name, or from an earlier message, but only when this message points back, by a pronoun or by naming the thing; and
 * only what identifies something: an earlier amount or date is not this one's.
 */
export function carryOver(
  card: ToolCard,
  filled: Filled,
  text: string,
  conversation: Conversation,
  today: LocalDate,
): Filled {
  let args = filled.args
  for (const leaf of filled.missing) {
    if (!identifies(leaf) || !pointsBack(text, leaf)) continue
    const value = fromCalls(conversation, leaf) ?? fromMessages(card, conversation, leaf, today)
    if (value !== undefined) args = withValue(args, leaf.path, value)
  }
  return args === filled.args
    ? filled
    : { ...filled, args, missing: filled.missing.filter((leaf) => at(args, leaf.path) === undefined) }
}

function identifies(leaf: Leaf): boolean {
  return (
    leaf.role === 'id' ||
    leaf.slot.pattern !== null ||
    leaf.role === 'email' ||
    /(?:^|_)(?:id|number|code|no)$|Id$/.test(leaf.slot.name)
  )
}

function pointsBack(text: string, leaf: Leaf): boolean {
  return POINTS_BACK.test(text) || readWords(text.slice(0, MAX_TEXT_CHARS)).some((word) => isCue(leaf, word.stem))
}

function fromCalls(conversation: Conversation, leaf: Leaf): unknown {
  for (const call of pastCalls(conversation)) {
    const value = call.args[leaf.slot.name]
    if (value !== undefined && sameType(leaf, value)) return value
  }
  for (const turn of conversation.turns.toReversed()) {
    if (turn.role !== 'tool' || turn.failed || !turn.text.trimStart().startsWith('{')) continue
    const value = fieldOf(turn.text, leaf.slot.name)
    if (value !== undefined && sameType(leaf, value)) return value
  }
  return undefined
}

function fieldOf(json: string, name: string): unknown {
  try {
    const parsed: unknown = JSON.parse(json)
    return isRecord(parsed) ? parsed[name] : undefined
  } catch {
    return undefined
  }
}

function fromMessages(card: ToolCard, conversation: Conversation, leaf: Leaf, today: LocalDate): unknown {
  const said = conversation.turns
    .filter((turn) => turn.role === 'human')
    .slice(0, -1)
    .slice(-MAX_LOOK_BACK)
  for (const turn of said.toReversed()) {
    const value = at(fillSlots(card, readMessage(turn.text, today), {}, { defaults: false }).args, leaf.path)
    if (typeof value === 'number' || (typeof value === 'string' && /\d|@/.test(value))) return value
  }
  return undefined
}

function sameType(leaf: Leaf, value: unknown): boolean {
  switch (leaf.slot.type) {
    case 'string':
      return typeof value === 'string'
    case 'integer':
    case 'number':
      return typeof value === 'number'
    case 'any':
      return true
    case 'boolean':
    case 'array':
    case 'object':
      return false
  }
}
