import { answerKind, fitsKind } from './answer-kind.ts'
import { sentencesHolding, shareOf } from './passage-match.ts'
import { questionIn } from './question.ts'
import type { Question } from './question.ts'
import { readPassage } from './read-passage.ts'
import type { ReadableText, SentenceRead } from './read-passage.ts'
import { nearest, placesOf } from './term-places.ts'
import type { TermPlaces } from './term-places.ts'

/** How a sentence meets a question; shares of the question between 0 and 1. */
export interface SentenceMatch {
  /** Terms in the sentence itself. */
  readonly own: number
  /** Terms of the title and headings, those over it in the text with them, where the sentence has them not. */
  readonly around: number
  /** Terms of the sentences beside. */
  readonly beside: number
  /** Terms elsewhere in the passage. */
  readonly far: number
  /** Neighbouring terms of the question that are near each other in the sentence. */
  readonly proximity: number
  /** 1 when it holds the kind of thing that is asked for. */
  readonly kind: number
  /** 1 for a sentence that asks itself, or that has not one word more than the question. */
  readonly empty: number
  /** 1 for the first sentence under a heading that is what was asked: `Refund policy` when the refund policy is. */
  readonly lead: number
  /** Logarithm of its length in words against the mean of its passage, from -1 to 1. */
  readonly long: number
}

export interface MatchedSentence {
  readonly sentence: SentenceRead
  readonly match: SentenceMatch
}

const NEAR_WORDS = 8
/** Share of the question that a heading holds which is asked for by name. */
const MIN_NAMED_SHARE = 0.8

export function matchSentences(given: Question, passage: ReadableText): MatchedSentence[] {
  const question = questionIn(given, passage.language)
  const { words, sentences, around } = readPassage(passage)
  const places = placesOf(question, words)
  const held = sentencesHolding(sentences, places)
  const kind = answerKind(question.text)
  const asked = new Set(question.words.map((word) => word.surface))
  const known = new Set([...question.words.map((word) => word.stem), ...around])
  const mean = words.length / Math.max(1, sentences.length)
  return sentences.map((sentence, at) => {
    const stands = (stem: string, where: number): number =>
      held.get(stem)?.has(where) === true ? (places.get(stem)?.credit ?? 0) : 0
    const { under, leads } = sentence
    const inAround = (stem: string): number => (around.has(stem) || under.has(stem) ? 1 : 0)
    const near = (stem: string): number => Math.max(stands(stem, at - 1), stands(stem, at + 1))
    const news = words
      .slice(sentence.from, sentence.to)
      .filter(({ stop, stem }) => !stop && !known.has(stem) && !under.has(stem)).length
    const named = leads.size === 0 ? 0 : shareOf(question, ({ stem }) => (leads.has(stem) ? 1 : 0))
    const length = sentence.to - sentence.from
    return {
      sentence,
      match: {
        own: shareOf(question, ({ stem }) => stands(stem, at)),
        around: shareOf(question, ({ stem }) => (stands(stem, at) > 0 ? 0 : inAround(stem))),
        beside: shareOf(question, ({ stem }) => (stands(stem, at) + inAround(stem) > 0 ? 0 : near(stem))),
        far: shareOf(question, ({ stem }) =>
          stands(stem, at) + inAround(stem) + near(stem) > 0 ? 0 : (places.get(stem)?.credit ?? 0),
        ),
        proximity: proximityIn(question, sentence, places),
        kind: kind !== null && fitsKind(kind, sentence.text, asked) ? 1 : 0,
        empty: news === 0 || sentence.text.endsWith('?') ? 1 : 0,
        lead: named >= MIN_NAMED_SHARE ? 1 : 0,
        long: Math.max(-1, Math.min(1, Math.log2(Math.max(1, length) / Math.max(1, mean)))),
      },
    }
  })
}

function proximityIn(question: Question, sentence: SentenceRead, places: ReadonlyMap<string, TermPlaces>): number {
  let sum = 0
  let total = 0
  const inside = (stem: string): number[] =>
    (places.get(stem)?.at ?? []).filter((place) => place >= sentence.from && place < sentence.to)
  for (let i = 0; i + 1 < question.terms.length; i += 1) {
    const one = question.terms[i]
    const other = question.terms[i + 1]
    if (one === undefined || other === undefined) continue
    const weight = Math.min(one.weight, other.weight)
    total += weight
    const distance = nearest(inside(one.stem), inside(other.stem))
    if (distance <= NEAR_WORDS) sum += weight / Math.sqrt(distance)
  }
  return total === 0 ? 0 : sum / total
}
