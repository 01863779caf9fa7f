import { distance } from 'fastest-levenshtein'
import type { Reading } from '../facts/reading.ts'
import { stem } from '#shared/text/stem.ts'
import { synonymsOf } from '#shared/text/synonyms.ts'
import { splitName } from '#shared/text/words.ts'
import type { Filling } from './filling.ts'
import type { Leaf } from './leaf.ts'
import { isProper } from './role.ts'

export interface Chosen {
  readonly value: unknown
  readonly start: number
  readonly end: number
  /** 1 as written; less for an inflected, misspelt or synonymous word. */
  readonly certainty: number
}

/** One typing error per this many letters is forgiven, in words of at least MIN_FUZZY_CHARS. */
const CHARS_PER_ERROR = 5
const MIN_FUZZY_CHARS = 5
const MAX_FUZZY_CHOICES = 50

/** Which of the choices the message names: as written, inflected, misspelt, or by a synonym. Longer names win. */
export function chooseAll(
  reading: Reading,
  choices: readonly unknown[],
  fuzzy: boolean,
  toolWords: ReadonlySet<string>,
): Chosen[] {
  const found: Chosen[] = []
  for (const [rank, value] of choices.entries()) {
    if (typeof value !== 'string' && typeof value !== 'number') continue
    const hit = locate(reading, String(value), fuzzy && rank < MAX_FUZZY_CHOICES, toolWords)
    if (hit !== null && !isInsideName(reading, hit)) found.push({ ...hit, value })
  }
  found.sort((a, b) => b.certainty - a.certainty || b.end - b.start - (a.end - a.start) || a.start - b.start)
  const kept: Chosen[] = []
  for (const hit of found) {
    if (!kept.some((other) => hit.start < other.end && hit.end > other.start)) kept.push(hit)
  }
  return kept
}

/** The `History` of a Natural History Museum chooses nothing. */
function isInsideName(reading: Reading, hit: { start: number; end: number }): boolean {
  return reading.names.some(
    (name) =>
      name.start <= hit.start &&
      name.end >= hit.end &&
      name.end - name.start > hit.end - hit.start + 4 &&
      name.parts === undefined,
  )
}

function locate(
  reading: Reading,
  choice: string,
  fuzzy: boolean,
  toolWords: ReadonlySet<string>,
): Omit<Chosen, 'value'> | null {
  const wanted = splitName(choice)
  if (wanted.length === 0) return locateSymbol(reading, choice)
  const stems = wanted.map(stem)
  const { words } = reading
  for (let at = 0; at + wanted.length <= words.length; at += 1) {
    let certainty = 1
    for (const [i, word] of wanted.entries()) {
      const said = words[at + i]
      if (said === undefined) return null
      certainty = Math.min(
        certainty,
        likeness(said.lower, said.stem, word, stems[i] ?? word, fuzzy && !toolWords.has(said.stem)),
      )
      if (certainty === 0) break
    }
    const [first, last] = [words[at], words[at + wanted.length - 1]]
    // A single letter is a choice only in its own case: `c` is not the C of a sentence.
    if (choice.length === 1 && first?.text !== choice) continue
    if (last !== undefined && /^[#♭♯+]/.test(reading.text.slice(last.end)) && !/[#♭♯+]$/.test(choice)) continue
    if (certainty > 0 && first !== undefined && last !== undefined)
      return { start: first.start, end: last.end, certainty }
  }
  if (wanted.length > 1) return locateGlued(reading, wanted.join(''))
  return null
}

function likeness(said: string, saidStem: string, wanted: string, wantedStem: string, fuzzy: boolean): number {
  if (said === wanted) return 1
  if (saidStem === wantedStem) return 0.95
  if (!fuzzy) return 0
  if (
    wanted.length >= MIN_FUZZY_CHARS &&
    said.length >= MIN_FUZZY_CHARS - 1 &&
    Math.abs(said.length - wanted.length) <= 2
  ) {
    const allowed = Math.floor(wanted.length / CHARS_PER_ERROR)
    if (allowed > 0 && said[0] === wanted[0] && distance(said, wanted) <= allowed) return 0.8
  }
  return synonymsOf(saidStem).has(wantedStem) ? 0.5 : 0
}

/** `<`, `>=`, `C#`: choices without letters are looked for as they stand. */
function locateSymbol(reading: Reading, choice: string): Omit<Chosen, 'value'> | null {
  const at = choice.trim() === '' ? -1 : reading.text.indexOf(choice)
  return at < 0 ? null : { start: at, end: at + choice.length, certainty: 1 }
}

/** `multi_player` said as `multiplayer`. */
function locateGlued(reading: Reading, glued: string): Omit<Chosen, 'value'> | null {
  const word = reading.words.find((candidate) => candidate.lower === glued)
  return word === undefined ? null : { start: word.start, end: word.end, certainty: 0.95 }
}

/** The choice of a leaf, where its schema or description names some. */
function chooseOne(
  reading: Reading,
  leaf: Leaf,
  avoid: readonly { start: number; end: number }[],
  toolWords: ReadonlySet<string>,
): Chosen | null {
  const closed = leaf.slot.choices !== null
  const choices = leaf.slot.choices ?? leaf.slot.hints
  const free = chooseAll(reading, choices, closed, toolWords).filter(
    (hit) => !avoid.some((place) => place.start < hit.end && place.end > hit.start),
  )
  return free[0] ?? null
}

/** Values the schema lists, or its description names. */
export function fillChoices(filling: Filling): void {
  const { reading, leaves, used, toolWords, card } = filling
  for (const leaf of leaves) {
    const { slot } = leaf
    if (filling.has(leaf) || slot.type === 'array' || slot.type === 'boolean') continue
    if (slot.choices === null && slot.type !== 'string') continue
    // Places and people named in a description are examples, not choices.
    if (slot.choices === null && isProper(leaf.role)) continue
    const hit = chooseOne(reading, leaf, used, toolWords)
    if (hit === null) continue
    // A value the tool's own description names is said in passing; an optional slot is not filled by it.
    const words = String(hit.value).toLowerCase()
    if (!leaf.required && slot.choices === null && card.tool.description.toLowerCase().includes(words)) continue
    if (!leaf.required && hit.certainty < 0.9) continue
    if (slot.hints.length === 1 && (hit.certainty < 1 || hit.value === slot.fallback)) continue
    filling.take(leaf, hit.value, hit)
  }
}
