import { leavesOf } from './slots/leaf.ts'
import type { Role } from './slots/role.ts'
import { synonymsOf } from '#shared/text/synonyms.ts'
import type { ToolCard } from './tool-card.ts'
import { GENERIC } from '#shared/text/words.ts'
import type { Word } from '#shared/text/words.ts'

/**
 * Which tool a message asks for. Two questions, asked apart:
 *
 * - Which of the offered tools is the nearest? BM25F over name, description, examples and slots (Robertson, Zaragoza and
 *   Taylor, "Simple BM25 extension to multiple weighted fields", 2004), and the nearest single example.
 * - Is the nearest one meant at all? BM25 cannot say: with one tool on offer it has no scale. `fitOf` weighs how much of
 *   the message the tool explains, how much of the tool's name the message says, and whether its slots can be filled. The
 *   weights are a logistic regression over public function-calling questions (README.md says which half and how well it
 *   does on the other); FLOOR is where most questions meant for a tool pass and most others do not.
 */
export interface Ranked {
  readonly card: ToolCard
  /** Of the ranking: comparable among the tools of one call only. */
  readonly score: number
  /** Share of the message's weight that the tool has words for, 0 to 1. */
  readonly explained: number
  /** Share of the telling words of the tool's name that the message says, 0 to 1. */
  readonly named: number
  readonly namedExactly: number
  /** Likeness to the nearest example, 0 to 1. */
  readonly example: number
  /** How many kinds of values the message holds that this tool requires. */
  readonly typed: number
}

const K1 = 1.2
const B = 0.5
/** A word that nearly every tool has, and a synonym, against the word itself. */
const GENERIC_WEIGHT = 0.3
const SYNONYM_WEIGHT = 0.5
const EXAMPLE_WEIGHT = 4
const TYPED_WEIGHT = 0.8
const NO_EVIDENCE: ReadonlySet<Role> = new Set()

export const FLOOR = -1
/** From this likeness an example alone is enough. */
const EXAMPLE_FLOOR = 0.45
/** Two tools whose scores differ by less than this share are not told apart by words. */
export const MARGIN = 0.02

/**
 * @param evidence  kinds of values the message holds that only some tools take (an e-mail address, a currency)
 */
export function rankTools(
  words: readonly Word[],
  cards: readonly ToolCard[],
  evidence: ReadonlySet<Role> = NO_EVIDENCE,
): Ranked[] {
  const query = weighWords(words)
  const average = cards.reduce((sum, card) => sum + card.length, 0) / Math.max(1, cards.length)
  const idf = new Map<string, number>()
  for (const term of query.keys()) {
    const holders = cards.filter((card) => frequency(card.terms, term) > 0).length
    idf.set(term, Math.log(1 + (cards.length - holders + 0.5) / (holders + 0.5)))
  }
  return cards.map((card) => rankOne(card, query, idf, average, evidence)).toSorted((a, b) => b.score - a.score)
}

function weighWords(words: readonly Word[]): Map<string, number> {
  const query = new Map<string, number>()
  for (const word of words) {
    if (word.stop || /^\d/.test(word.lower)) continue
    query.set(word.stem, GENERIC.has(word.stem) ? GENERIC_WEIGHT : 1)
  }
  return query
}

function frequency(terms: ReadonlyMap<string, number>, term: string): number {
  const exact = terms.get(term)
  if (exact !== undefined) return exact
  let best = 0
  for (const synonym of synonymsOf(term)) best = Math.max(best, (terms.get(synonym) ?? 0) * SYNONYM_WEIGHT)
  return best
}

function rankOne(
  card: ToolCard,
  query: ReadonlyMap<string, number>,
  idf: ReadonlyMap<string, number>,
  average: number,
  evidence: ReadonlySet<Role>,
): Ranked {
  let score = 0
  let explained = 0
  let total = 0
  const norm = K1 * (1 - B + (B * card.length) / average)
  for (const [term, weight] of query) {
    total += weight
    const tf = frequency(card.terms, term)
    if (tf === 0) continue
    score += (weight * (idf.get(term) ?? 0) * tf * (K1 + 1)) / (tf + norm)
    explained += weight * (card.terms.has(term) ? 1 : SYNONYM_WEIGHT)
  }
  let named = 0
  let namedExactly = 0
  for (const term of card.head) {
    if (query.has(term)) {
      named += 1
      namedExactly += 1
    } else if (hasSynonym(query, term)) named += SYNONYM_WEIGHT
  }
  const example = nearestExample(card, query)
  const typed = [...requiredRoles(card)].filter((role) => evidence.has(role)).length
  return {
    card,
    score: score + EXAMPLE_WEIGHT * example + TYPED_WEIGHT * typed,
    explained: total === 0 ? 0 : explained / total,
    named: card.head.length === 0 ? 0 : named / card.head.length,
    namedExactly,
    example,
    typed,
  }
}

const required = new WeakMap<ToolCard, ReadonlySet<Role>>()

function requiredRoles(card: ToolCard): ReadonlySet<Role> {
  const known =
    required.get(card) ??
    new Set(
      leavesOf(card.slots)
        .filter((leaf) => leaf.required)
        .map((leaf) => leaf.role),
    )
  required.set(card, known)
  return known
}

function hasSynonym(query: ReadonlyMap<string, number>, term: string): boolean {
  for (const synonym of synonymsOf(term)) if (query.has(synonym)) return true
  return false
}

/** Cosine over weighted stems. */
function nearestExample(card: ToolCard, query: ReadonlyMap<string, number>): number {
  let best = 0
  let own = 0
  for (const weight of query.values()) own += weight * weight
  for (const words of card.examples) {
    let shared = 0
    let length = 0
    for (const term of words) {
      const weight = GENERIC.has(term) ? GENERIC_WEIGHT : 1
      length += weight * weight
      if (query.has(term)) shared += weight * weight
      else if (hasSynonym(query, term)) shared += weight * weight * SYNONYM_WEIGHT
    }
    if (own > 0 && length > 0) best = Math.max(best, shared / Math.sqrt(own * length))
  }
  return best
}

/** What of the required slots could be filled. */
export interface Fillable {
  readonly required: number
  readonly missing: number
}

const WEIGHTS = {
  bias: -3.64,
  explained: 2.33,
  named: 3.5,
  namedExactly: 0.33,
  fillable: 1.96,
  missing: -1.4,
  typed: 1,
} as const

/** What the words alone say for the tool. */
function wordsFor(ranked: Ranked): number {
  return (
    WEIGHTS.explained * ranked.explained +
    WEIGHTS.named * ranked.named +
    WEIGHTS.namedExactly * Math.min(2, ranked.namedExactly)
  )
}

/** Whether the message is clear enough about the tool to ask for what it does not say: `I want a refund`. */
export function isWorthAsking(ranked: Ranked): boolean {
  return wordsFor(ranked) >= ASK_FLOOR || ranked.example >= EXAMPLE_FLOOR
}

/** The tool's words for all of the message and half of its own name, or most of both. */
const ASK_FLOOR = 3.8

/** How likely the tool is meant, in log odds; compare with FLOOR. */
export function fitOf(ranked: Ranked, { required, missing }: Fillable): number {
  const words = wordsFor(ranked)
  const slots =
    WEIGHTS.fillable * (required === 0 ? 1 : (required - missing) / required) + WEIGHTS.missing * Math.min(3, missing)
  const fit = WEIGHTS.bias + words + slots + WEIGHTS.typed * Math.min(1, ranked.typed)
  return ranked.example >= EXAMPLE_FLOOR ? Math.max(fit, FLOOR + ranked.example) : fit
}
