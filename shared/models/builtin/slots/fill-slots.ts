import type { Reading } from '../facts/reading.ts'
import type { ToolCard } from '../tool-card.ts'
import { at, buildArgs } from './args.ts'
import { fillNumericLists, fillOtherLists, fillStrongLists } from './array-slot.ts'
import { fillFlags } from './boolean-slot.ts'
import { fillChoices } from './choice-slot.ts'
import { fillContacts, fillFullNames } from './contact-slots.ts'
import { fillDateParts, fillTimes } from './date-slots.ts'
import { Filling } from './filling.ts'
import { fillCoefficients, fillFormulas } from './formula-slots.ts'
import { fillNumberedIds, fillPatterns } from './id-slots.ts'
import { leavesOf } from './leaf.ts'
import type { Leaf } from './leaf.ts'
import { fillNamed } from './named-slots.ts'
import { fillNumbers } from './number-slots.ts'
import { fillFreeObjects } from './object-slot.ts'
import { fillStrings } from './string-slots.ts'

export interface Filled {
  /** Arguments as the schema wants them; only what was said or has a documented default. */
  readonly args: Readonly<Record<string, unknown>>
  readonly missing: readonly Leaf[]
  /** How many leaves were filled from the message itself. */
  readonly said: number
  readonly leaves: readonly Leaf[]
}

/** In this order: the more a type restricts what can be meant, the earlier it takes its words. */
const STEPS: readonly ((filling: Filling) => void)[] = [
  fillContacts,
  fillFullNames,
  fillPatterns,
  fillChoices,
  fillFlags,
  fillFormulas,
  fillDateParts,
  fillTimes,
  fillNumericLists,
  fillCoefficients,
  fillNumbers,
  fillNumberedIds,
  fillNamed,
  fillStrongLists,
  fillStrings,
  fillOtherLists,
  fillFreeObjects,
]

/** Fills a tool's slots from one message. What is `known` already is kept and not looked for. */
export function fillSlots(
  card: ToolCard,
  reading: Reading,
  known: Readonly<Record<string, unknown>> = {},
  options: { readonly defaults: boolean } = { defaults: true },
): Filled {
  const leaves = leavesOf(card.slots)
  const open = leaves.filter((leaf) => at(known, leaf.path) === undefined)
  const toolWords = new Set([...card.subject, ...leaves.flatMap((leaf) => leaf.nameCues)])
  const filling = new Filling(reading, open, card, toolWords)
  for (const step of STEPS) step(filling)

  const said = filling.values.size
  if (options.defaults) {
    for (const leaf of filling.open((one) => one.required && one.slot.fallback !== undefined))
      filling.take(leaf, leaf.slot.fallback)
  }
  const args = buildArgs(known, filling.values)
  const missing = leaves.filter((leaf) => leaf.required && at(args, leaf.path) === undefined)
  return { args, missing, said, leaves }
}
