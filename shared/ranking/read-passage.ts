import { splitSentences } from '#shared/text/sentences.ts'
import type { Sentence } from '#shared/text/sentences.ts'

import { rolesOf } from './heading-lines.ts'
import { readTerms } from './read-terms.ts'
import type { RankWord } from './read-terms.ts'

export interface ReadableText {
  readonly title: string
  readonly headings?: readonly string[]
  readonly text: string
  /** Of a part of a table: its header row, which is not in the text. */
  readonly header?: string
  readonly language?: string
}

/** A passage taken apart: every stage after the index reads the same words. */
export interface PassageRead {
  readonly words: readonly RankWord[]
  /** With the words each holds: from `from`, before `to`. */
  readonly sentences: readonly SentenceRead[]
  /** Stems of the title, the headings and the table's header. */
  readonly around: ReadonlySet<string>
}

export interface SentenceRead extends Sentence {
  readonly from: number
  readonly to: number
  /** Says what is below it and is never quoted (heading-lines.ts). */
  readonly heading: boolean
  /** A row of a table. */
  readonly row: boolean
  /** Stems of what heads it inside the passage, beside what is around all of it. */
  readonly under: ReadonlySet<string>
  /** Of the first that says something under a heading: that heading's stems. */
  readonly leads: ReadonlySet<string>
}

/** Read once for each passage object, as long as somebody holds it. */
const known = new WeakMap<ReadableText, PassageRead>()

export function readPassage(passage: ReadableText): PassageRead {
  const before = known.get(passage)
  if (before !== undefined) return before
  const words = readTerms(passage.text, passage.language)
  const titles = [passage.title, ...(passage.headings ?? []), passage.header ?? ''].join('\n')
  const read: PassageRead = {
    words,
    sentences: readSentences(passage, words),
    around: new Set(stemsOf(readTerms(titles, passage.language))),
  }
  known.set(passage, read)
  return read
}

const NOTHING: ReadonlySet<string> = new Set()

function readSentences({ text, header = '' }: ReadableText, words: readonly RankWord[]): SentenceRead[] {
  const sentences = withWords(splitSentences(text), words)
  return rolesOf(text, sentences, header !== '').map((role, at) => {
    const sentence = sentences[at]!
    const heads = (lines: readonly number[]): ReadonlySet<string> =>
      lines.length === 0
        ? NOTHING
        : new Set(lines.flatMap((head) => stemsOf(words.slice(sentences[head]?.from, sentences[head]?.to))))
    return { ...sentence, ...role, under: heads(role.under), leads: heads(role.leads === null ? [] : [role.leads]) }
  })
}

function stemsOf(words: readonly RankWord[]): string[] {
  return words.flatMap((word) => (word.stop ? [] : [word.stem]))
}

interface Placed extends Sentence {
  readonly from: number
  readonly to: number
}

function withWords(sentences: readonly Sentence[], words: readonly RankWord[]): Placed[] {
  let at = 0
  return sentences.map((sentence) => {
    while (at < words.length && (words[at]?.start ?? 0) < sentence.start) at += 1
    const from = at
    while (at < words.length && (words[at]?.start ?? 0) < sentence.end) at += 1
    return { ...sentence, from, to: at }
  })
}
