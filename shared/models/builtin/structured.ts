import { quoteFrom } from '#shared/ranking/quote.ts'

import { renderResult } from './answer/render-result.ts'
import { lastHumanText } from './conversation.ts'
import type { Conversation, Turn } from './conversation.ts'
import { isRecord } from './schema.ts'
import type { Slot } from './schema.ts'
import type { ToolCard } from './tool-card.ts'

const ANSWER_NAMES = /^(?:answer|reply|response|message|text|content|summary|result|output)$/i
const MARK_NAMES = /^(?:citations?|sources?|references?|marks?)$/i

/**
 * A call that had to be made, as when an answer must fit a schema: fields of the same name come from the tool results of
 * this turn, a field for the answer takes the composed answer, one for citations its marks. Nothing else is made up, so
 * what the schema requires beyond that stays missing and is found by whoever validates it.
 */
export function structuredAnswer(
  card: ToolCard,
  conversation: Conversation,
  said: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const lastHuman = conversation.turns.findLastIndex((turn) => turn.role === 'human')
  const turn = conversation.turns.slice(lastHuman + 1)
  const results = turn.filter((one): one is Extract<Turn, { role: 'tool' }> => one.role === 'tool' && !one.failed)
  const fields = Object.assign({}, ...results.map((result) => parse(result.text))) as Record<string, unknown>
  const quotes = quoteFrom(lastHumanText(conversation), conversation.passages).quotes
  const spoken = turn.findLast((one) => one.role === 'ai' && one.text !== '')?.text
  const composed =
    spoken ??
    (results.length > 0
      ? results.map((result) => renderResult(result.text, null, {})).join('\n\n')
      : quotes.map((quote) => `“${quote.text}” [${quote.passage.mark}]`).join(' '))
  const args: Record<string, unknown> =
    results.length > 0 || composed !== '' ? { ...pick(card.slots, fields) } : { ...said }
  for (const slot of card.slots) {
    if (args[slot.name] !== undefined) continue
    if (ANSWER_NAMES.test(slot.name) && slot.type === 'string' && composed !== '') args[slot.name] = composed
    else if (MARK_NAMES.test(slot.name) && slot.type === 'array')
      args[slot.name] = quotes.map((quote) =>
        slot.items?.type === 'string' ? String(quote.passage.mark) : quote.passage.mark,
      )
    else if (said[slot.name] !== undefined) args[slot.name] = said[slot.name]
  }
  return args
}

function pick(slots: readonly Slot[], fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const picked: Record<string, unknown> = {}
  for (const slot of slots) if (fits(slot, fields[slot.name])) picked[slot.name] = fields[slot.name]
  return picked
}

function fits(slot: Slot, value: unknown): boolean {
  if (value === undefined || value === null) return false
  if (slot.choices !== null && !slot.choices.includes(value)) return false
  switch (slot.type) {
    case 'string':
    case 'boolean':
      return typeof value === slot.type
    case 'integer':
      return Number.isInteger(value)
    case 'number':
      return typeof value === 'number'
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isRecord(value)
    case 'any':
      return true
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text)
    return isRecord(parsed) ? { ...parsed } : {}
  } catch {
    return {}
  }
}
