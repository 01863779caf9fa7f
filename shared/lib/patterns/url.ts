import { charTable, DIGITS, inTable, LETTERS, trimmedEnd } from './span.ts'
import type { Recogniser, Span } from './span.ts'

/**
 * Addresses of the web that a page would turn into a link or an image, and schemes that do something when clicked.
 * `isAllowed` says which may stay; it is given what a browser makes of the text, so that `https://good.com@evil.com` is
 * evil.com, and null where a browser makes nothing of it.
 */
const STARTS =
  /(?:[a-z][a-z0-9+.-]{1,20}:)?\/\/(?=[^\s/])|(?<![\p{L}\p{N}.@/])www\.|(?<![\p{L}\p{N}])(?:javascript|data|vbscript|file|mailto|tel):(?=\S)/giu
// oxlint-disable-next-line no-control-regex -- they end an address
const END = /[\s<>"`{}|^\u0000-\u001f\u007f-\u00a0\u3000-\u303f\uff00-\uffef]/gu
const TRAILING = charTable(".,;:!?'*_~")
const SCHEME = charTable(`${LETTERS}${DIGITS}+.-`)
const SCHEME_MAX = 21

export function url(isAllowed: (address: URL | null, text: string) => boolean): Recogniser {
  return {
    entity: 'url',
    reads: 'plain',

    find(text, from = 0) {
      const found: Span[] = []
      // From the beginning of the word on: inside an address that may stay, no other one begins.
      STARTS.lastIndex = wordStart(text, from, 0)
      for (let match = STARTS.exec(text); match !== null; match = STARTS.exec(text)) {
        END.lastIndex = match.index + match[0].length
        const stop = END.exec(text)?.index ?? text.length
        const written = trim(text.slice(match.index, stop))
        STARTS.lastIndex = Math.max(match.index + written.length, match.index + match[0].length)
        if (match.index >= from && !isAllowed(parse(written), written))
          found.push({ start: match.index, end: match.index + written.length, entity: 'url' })
      }
      return found
    },

    open(text, from = 0) {
      // An address that nothing has ended yet; there is no space in one.
      STARTS.lastIndex = wordStart(text, text.length, from)
      for (let start = STARTS.exec(text); start !== null; start = STARTS.exec(text)) {
        END.lastIndex = start.index + start[0].length
        const end = END.exec(text)
        if (end === null) return Math.min(start.index, schemeStart(text, from))
        STARTS.lastIndex = end.index
      }
      return schemeStart(text, from)
    },
  }
}

/** Without the punctuation of the sentence around it, and from a bracket on that was opened before it. */
function trim(text: string): string {
  let end = trimmedEnd(text, 0, text.length, TRAILING)
  for (const [open, close] of [
    ['(', ')'],
    ['[', ']'],
  ] as const) {
    const closing = text.indexOf(close)
    if (closing < 0 || closing >= end) continue
    const opening = text.indexOf(open)
    if (opening < 0 || opening > closing) end = closing
  }
  return text.slice(0, trimmedEnd(text, 0, end, TRAILING))
}

function parse(text: string): URL | null {
  const full = text.startsWith('//') ? `https:${text}` : /^www\./i.test(text) ? `https://${text}` : text
  return URL.canParse(full) ? new URL(full) : null
}

/** Where a scheme may begin that an address at the end of the text turns out to have; or its slashes, or `www`. */
function schemeStart(text: string, from: number): number {
  let at = text.length
  while (at > from && text[at - 1] === '/') at -= 1
  if (at > from && text[at - 1] === ':') at -= 1
  const stop = Math.max(from, at - SCHEME_MAX)
  while (at > stop && inTable(SCHEME, text, at - 1)) at -= 1
  return at
}

function wordStart(text: string, end: number, from: number): number {
  let at = end
  while (at > from && !isSpace(text, at - 1)) at -= 1
  return at
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code <= 32 || code === 0xa0 || code === 0x3000
}
