/**
 * Text that is being streamed: what is known from the beginning, and, after a gap, what came later.
 *
 * A delta says "put this at this offset, and cut what stood after it" (offsets in UTF-16 code units). In log order that
 * is all: `text.slice(0, offset) + delta`. A delta that begins beyond the known text has lost something before it (a
 * failed publish, a reader that came in the middle); it waits in `tail`, which grows by the same rule, until a delta
 * at or before the end of the text closes the gap. That one is later in the log, so it cuts whatever waited after it.
 */
export interface StreamedText {
  readonly text: string
  readonly tail: Tail | null
}

export interface Tail {
  readonly offset: number
  readonly text: string
}

export const NO_TEXT: StreamedText = { text: '', tail: null }

export function foldDelta(streamed: StreamedText, offset: number, delta: string): StreamedText {
  const { text, tail } = streamed
  if (offset <= text.length) return { text: text.slice(0, offset) + delta, tail: null }
  if (tail !== null && offset >= tail.offset && offset <= tail.offset + tail.text.length) {
    return { text, tail: { offset: tail.offset, text: tail.text.slice(0, offset - tail.offset) + delta } }
  }
  return { text, tail: { offset, text: delta } }
}
