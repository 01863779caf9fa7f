/**
 * Cuts a text that is being streamed into sentences, for the output mode `gated`: each is released after its checks.
 * Nothing is lost or changed: the pieces joined are the text. Owns the end of the text that is no whole sentence yet.
 *
 * A sentence ends with . ! ? … (and their kin) before a space, with a line break, or in scripts without spaces at once. It
 * does not end after an abbreviation, an initial, or the number of a list item. A block of code or a key in text form is
 * one piece, so that a guard sees it whole. A piece that grows beyond MAX_PIECE_CHARS is cut at a space.
 */
export const MAX_PIECE_CHARS = 1_200
/** A block between fences may be longer; beyond this it is cut like other text. */
export const MAX_BLOCK_CHARS = 16_000

const END = /(?:(?<![.!?…])[.!?…]+["'”’»)\]]*(?=\s)|[。！？｡]+["'”’」』）]*)\s*|\n\s*/gu
const ABBREVIATION =
  /(?:^|[\s(["'“])(?:\p{L}|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Inc|Ltd|Co|Corp|No|Nr|Art|Fig|Vol|vs|etc|approx|est|ca|e\.g|i\.e|cf|a\.m|p\.m|z\.B|d\.h|bzw|usw|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)\.$/iu
const LIST_NUMBER = /(?:^|\n)\s*\d{1,3}\.$/u
const BLOCKS = [
  { begin: /```/g, end: /```[^\n]*(?:\n|$)/g },
  { begin: /-----BEGIN [A-Z0-9 ]{0,60}-----/g, end: /-----END [A-Z0-9 ]{0,60}-----\s*/g },
]

export class SentenceSplitter {
  #text = ''

  /** The sentences that are complete now. */
  push(piece: string): string[] {
    this.#text += piece
    const found: string[] = []
    for (let end = nextEnd(this.#text); end > 0; end = nextEnd(this.#text)) {
      found.push(this.#text.slice(0, end))
      this.#text = this.#text.slice(end)
    }
    return found
  }

  /** What is left when the text is complete; null when nothing is. */
  end(): string | null {
    const rest = this.#text
    this.#text = ''
    return rest === '' ? null : rest
  }
}

/** Where the first whole sentence ends; 0 when there is none yet. */
function nextEnd(text: string): number {
  const block = blockAt(text)
  END.lastIndex = 0
  for (let match = END.exec(text); match !== null; match = END.exec(text)) {
    const end = match.index + match[0].length
    // A space at the very end may not be the last one; a mark may be followed by a quote.
    if (end === text.length) break
    if (block !== null && end > block.start) break
    if (isSentence(text.slice(0, match.index + 1))) return end
  }
  if (block !== null && block.start === 0) {
    if (block.end > 0 && block.end < text.length) return block.end
    return text.length > MAX_BLOCK_CHARS ? spaceBefore(text, MAX_BLOCK_CHARS) : 0
  }
  if (block !== null) return block.start
  return text.length > MAX_PIECE_CHARS ? spaceBefore(text, MAX_PIECE_CHARS) : 0
}

/** False where a point belongs to an abbreviation, an initial or a list number, or nothing was said yet. */
function isSentence(text: string): boolean {
  if (/^\s*$/.test(text)) return false
  if (!text.endsWith('.')) return true
  const tail = text.slice(-24)
  return !ABBREVIATION.test(tail) && !LIST_NUMBER.test(tail.length < text.length ? tail.slice(1) : tail)
}

interface Block {
  readonly start: number
  /** 0 while it is open. */
  readonly end: number
}

function blockAt(text: string): Block | null {
  let first: Block | null = null
  for (const { begin, end } of BLOCKS) {
    begin.lastIndex = 0
    const opening = begin.exec(text)
    if (opening === null || (first !== null && first.start <= opening.index)) continue
    end.lastIndex = opening.index + opening[0].length
    const closing = end.exec(text)
    first = { start: opening.index, end: closing === null ? 0 : closing.index + closing[0].length }
  }
  return first
}

function spaceBefore(text: string, limit: number): number {
  const space = text.lastIndexOf(' ', limit - 1)
  const cut = space > limit / 2 ? space + 1 : limit
  return (text.charCodeAt(cut - 1) & 0xfc00) === 0xd800 ? cut - 1 : cut
}
