import { splitSentences } from '#shared/text/sentences.ts'
import type { Sentence } from '#shared/text/sentences.ts'

import { readTerms } from './read-terms.ts'
import type { RankWord } from './read-terms.ts'

export interface ReadableText {
  readonly title: string
  readonly headings?: readonly string[]
  readonly text: string
  readonly language?: string
}

/** A passage taken apart: every stage after the index reads the same words. */
export interface PassageRead {
  readonly words: readonly RankWord[]
  /** With the words each holds: from `from`, before `to`. */
  readonly sentences: readonly SentenceRead[]
  /** Stems of the title and the headings. */
  readonly around: ReadonlySet<string>
}

export interface SentenceRead extends Sentence {
  readonly from: number
  readonly to: number
}

/** Read once for each passage object, as long as somebody holds it. */
const known = new WeakMap<ReadableText, PassageRead>()

export function readPassage(passage: ReadableText): PassageRead {
  const before = known.get(passage)
  if (before !== undefined) return before
  const words = readTerms(passage.text, passage.language)
  const titles = [passage.title, ...(passage.headings ?? [])].join('\n')
  const read: PassageRead = {
    words,
    sentences: withWords(splitSentences(passage.text), words),
    around: new Set(readTerms(titles, passage.language).flatMap((word) => (word.stop ? [] : [word.stem]))),
  }
  known.set(passage, read)
  return read
}

function withWords(sentences: readonly Sentence[], words: readonly RankWord[]): SentenceRead[] {
  let at = 0
  return sentences.map((sentence) => {
    while (at < words.length && (words[at]?.start ?? 0) < sentence.start) at += 1
    const from = at
    while (at < words.length && (words[at]?.start ?? 0) < sentence.end) at += 1
    return { ...sentence, from, to: at }
  })
}
