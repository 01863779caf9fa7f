import { unitWanted, dimensionOf } from '../facts/unit.ts'
import type { Dimension, Unit } from '../facts/unit.ts'
import type { Slot } from '../schema.ts'
import { stem } from '#shared/text/stem.ts'
import { contentStems, nameStems } from '../tool-card.ts'
import { GENERIC, splitName } from '#shared/text/words.ts'
import { roleOf } from './role.ts'
import type { Role } from './role.ts'

/** A slot that takes one value, with its place in the arguments and everything its schema says about what to listen for. */
export interface Leaf {
  readonly slot: Slot
  readonly path: readonly string[]
  readonly required: boolean
  readonly nameWords: readonly string[]
  /** Stems of the name that tell; all of them when none does. */
  readonly nameCues: readonly string[]
  readonly descriptionCues: readonly string[]
  readonly unit: Unit | null
  readonly dimension: Dimension | null
  readonly role: Role
}

const opened = new WeakMap<readonly Slot[], readonly Leaf[]>()

/** Objects with declared fields open into their fields; everything else is a leaf. Made once for each tool. */
export function leavesOf(slots: readonly Slot[]): readonly Leaf[] {
  const known = opened.get(slots) ?? open(slots, [], true)
  opened.set(slots, known)
  return known
}

function open(slots: readonly Slot[], path: readonly string[], required: boolean): Leaf[] {
  const leaves: Leaf[] = []
  for (const slot of slots) {
    const wanted = required && slot.required
    const here = [...path, slot.name]
    if (slot.type === 'object' && slot.fields.length > 0) leaves.push(...open(slot.fields, here, wanted))
    else leaves.push(leafOf(slot, here, wanted))
  }
  return leaves
}

export function leafOf(slot: Slot, path: readonly string[], required: boolean): Leaf {
  const nameWords = splitName(slot.name)
  const stems = nameStems(slot.name)
  const telling = stems.filter((word) => !GENERIC.has(word))
  const told = slot.description.split(EXAMPLES_FROM, 1)[0] ?? ''
  const unit = unitWanted(nameWords, slot.description)
  return {
    slot,
    path,
    required,
    nameWords,
    nameCues: telling.length > 0 ? telling : stems,
    descriptionCues: [...new Set(contentStems(told).filter((word) => !GENERIC.has(word) && !stems.includes(word)))],
    unit,
    dimension:
      unit?.dimension ??
      dimensionOf(nameWords) ??
      (isOpaque(nameWords) ? dimensionOf(splitName(told).slice(0, 5)) : null),
    role: roleOf(nameWords, told.toLowerCase(), slot),
  }
}

/** What follows describes a form or a default, and would only mislead as a cue. */
const EXAMPLES_FROM =
  /\b(?:e\.g\.?|for example|for instance|example|such as|default|format|optional|possible|options)\b/iu

/** `m1`, `r`: a name that says nothing leaves it to the description. */
function isOpaque(nameWords: readonly string[]): boolean {
  return nameWords.every((word) => word.length < 2)
}

export function isCue(leaf: Leaf, word: string): boolean {
  return leaf.nameCues.includes(word) || leaf.descriptionCues.includes(word)
}

export function hasWord(leaf: Leaf, words: ReadonlySet<string>): boolean {
  return leaf.nameWords.some((word) => words.has(word) || words.has(stem(word)))
}
