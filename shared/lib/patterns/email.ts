import { charTable, DIGITS, inTable, LETTERS } from './span.ts'
import type { Recogniser, Span } from './span.ts'

const LOCAL_MAX = 64
const DOMAIN_MAX = 255
const LOCAL = charTable(`${LETTERS}${DIGITS}._%+'-`)
const EDGE = charTable(".%+'-")
/** Latin letters with marks as well: they occur in names, and other scripts run on without a space. */
const DOMAIN =
  /(?:[a-z0-9\u00c0-\u024f](?:[a-z0-9\u00c0-\u024f-]{0,61}[a-z0-9\u00c0-\u024f])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[a-z\u00c0-\u024f]{2,63})/iy

export const email: Recogniser = {
  entity: 'email',
  reads: 'plain',

  find(text, from = 0) {
    const found: Span[] = []
    for (let at = text.indexOf('@', from); at >= 0; at = text.indexOf('@', at + 1)) {
      let start = at
      while (start > 0 && at - start < LOCAL_MAX && isLocal(text, start - 1)) start -= 1
      while (start < at && inTable(EDGE, text, start)) start += 1
      DOMAIN.lastIndex = at + 1
      const domain = start < at ? DOMAIN.exec(text) : null
      if (domain === null || domain[0].length > DOMAIN_MAX || start < from) continue
      found.push({ start, end: at + 1 + domain[0].length, entity: 'email' })
    }
    return found
  },

  open(text) {
    const stop = Math.max(0, text.length - LOCAL_MAX - 1 - DOMAIN_MAX)
    let at = text.length
    while (at > stop && (isLocal(text, at - 1) || text[at - 1] === '@')) at -= 1
    return at
  },
}

function isLocal(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code < 128 ? LOCAL[code] === 1 : code >= 0xc0 && code <= 0x24f
}
