import type { ToolSpec } from '../tool-spec.ts'
import { MAX_TEXT_CHARS } from './facts/reading.ts'
import { isRecord, readSlots } from './schema.ts'
import type { Slot } from './schema.ts'
import { stem } from '#shared/text/stem.ts'
import { GENERIC, STOP, readWords, splitName } from '#shared/text/words.ts'

/**
 * A tool compiled for choosing: its slots, and its words with the weight of the place they stand in (BM25F: a name says
 * more than a description, a description more than a parameter's). Compiled once per definition.
 */
export interface ToolCard {
  readonly tool: ToolSpec
  readonly slots: readonly Slot[]
  /** Weighted frequency of each stem over all places. */
  readonly terms: ReadonlyMap<string, number>
  /** Stems of the name without those every tool has; all of them when nothing would be left. */
  readonly head: readonly string[]
  /** Stems of name and description: what the tool is about, as against what it takes. */
  readonly subject: ReadonlySet<string>
  /** One set of stems for each example utterance. */
  readonly examples: readonly ReadonlySet<string>[]
  readonly length: number
}

const WEIGHT = { name: 3, description: 1, example: 1, slotName: 0.7, slotDescription: 0.3, choice: 0.8 } as const

const compiled = new WeakMap<ToolSpec, ToolCard>()

export function cardOf(tool: ToolSpec): ToolCard {
  const known = compiled.get(tool)
  if (known !== undefined) return known
  const card = compile(tool)
  compiled.set(tool, card)
  return card
}

function compile(tool: ToolSpec): ToolCard {
  const slots = readSlots(isRecord(tool.parameters) ? tool.parameters : {})
  const terms = new Map<string, number>()
  const add = (words: readonly string[], weight: number): void => {
    for (const word of words) terms.set(word, (terms.get(word) ?? 0) + weight)
  }
  const name = nameStems(tool.name)
  const description = contentStems(tool.description)
  add(name, WEIGHT.name)
  add(description, WEIGHT.description)
  const examples = tool.examples.map(contentStems)
  for (const example of examples) add(example, WEIGHT.example)
  for (const slot of everySlot(slots)) {
    add(nameStems(slot.name), WEIGHT.slotName)
    add(contentStems(slot.description), WEIGHT.slotDescription)
    for (const choice of slot.choices ?? []) add(contentStems(String(choice)), WEIGHT.choice)
  }
  const telling = name.filter((word) => !GENERIC.has(word))
  return {
    tool,
    slots,
    terms,
    head: [...new Set(telling.length > 0 ? telling : name)],
    subject: new Set([...name, ...description]),
    examples: examples.map((example) => new Set(example)),
    length: [...terms.values()].reduce((sum, weight) => sum + weight, 0),
  }
}

export function* everySlot(slots: readonly Slot[]): Generator<Slot> {
  for (const slot of slots) {
    yield slot
    yield* everySlot(slot.fields)
    if (slot.items !== null) yield* everySlot(slot.items.fields)
  }
}

export function nameStems(name: string): string[] {
  return splitName(name)
    .filter((word) => !STOP.has(word) && !/^\d+$/.test(word))
    .map(stem)
}

export function contentStems(text: string): string[] {
  return readWords(text.slice(0, MAX_TEXT_CHARS))
    .filter((word) => !word.stop)
    .map((word) => word.stem)
}
