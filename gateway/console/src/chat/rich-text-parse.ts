/**
 * The little markup that answers use, as data: paragraphs, lists, quotes, fenced code; strong, code and links inside. No
 * HTML ever. Blocks are cut from the source first, so that a growing text changes its last block only.
 */
export type Block =
  | { readonly kind: 'paragraph' | 'quote' | 'heading'; readonly text: string }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly string[] }
  | { readonly kind: 'code'; readonly text: string }

export type Span =
  | { readonly kind: 'text' | 'strong' | 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }

const FENCE = /^ {0,3}```/
const ITEM = /^ {0,3}(?:[-*•]|(\d{1,3})[.)]) +/
const QUOTE = /^ {0,3}> ?/
const HEADING = /^#{1,4} +/

/** Sources of the blocks of a text. */
export function cutBlocks(text: string): readonly string[] {
  const blocks: string[] = []
  let lines: string[] = []
  let fenced = false
  const end = (): void => {
    if (lines.length > 0) blocks.push(lines.join('\n'))
    lines = []
  }
  for (const line of text.split('\n')) {
    if (FENCE.test(line)) {
      if (!fenced) end()
      lines.push(line)
      fenced = !fenced
      if (!fenced) end()
    } else if (fenced) {
      lines.push(line)
    } else if (line.trim() === '') {
      end()
    } else {
      const last = lines[0]
      if (last !== undefined && !sameBlock(last, line)) end()
      lines.push(line)
      if (HEADING.test(line)) end()
    }
  }
  end()
  return blocks
}

export function parseBlock(source: string): Block {
  const lines = source.split('\n')
  const first = lines[0] ?? ''
  switch (kindOf(first)) {
    case 'code':
      return {
        kind: 'code',
        text: lines.slice(1, FENCE.test(lines.at(-1) ?? '') && lines.length > 1 ? -1 : undefined).join('\n'),
      }
    case 'list':
      return { kind: 'list', ordered: isNumbered(first), items: itemsOf(lines) }
    case 'quote':
      return { kind: 'quote', text: lines.map((line) => line.replace(QUOTE, '')).join('\n') }
    case 'heading':
      return { kind: 'heading', text: first.replace(HEADING, '') }
    case 'paragraph':
      return { kind: 'paragraph', text: source }
  }
}

const SPAN =
  /\*\*([^*\n]+)\*\*|`([^`\n]+)`|\[([^\]\n]{1,200})\]\((https?:\/\/[^\s)]{1,2000})\)|(https?:\/\/[^\s<>"')\]]{1,2000})/g

export function parseSpans(text: string): readonly Span[] {
  const spans: Span[] = []
  let at = 0
  for (const match of text.matchAll(SPAN)) {
    if (match.index > at) spans.push({ kind: 'text', text: text.slice(at, match.index) })
    const [whole, strong, code, label, target, bare] = match
    at = match.index + whole.length
    if (strong !== undefined) spans.push({ kind: 'strong', text: strong })
    else if (code !== undefined) spans.push({ kind: 'code', text: code })
    else if (label !== undefined && target !== undefined) spans.push({ kind: 'link', text: label, href: target })
    else if (bare !== undefined) {
      const href = bare.replace(/[.,;:!?]+$/, '')
      spans.push({ kind: 'link', text: href, href })
      at -= bare.length - href.length
    }
  }
  if (at < text.length) spans.push({ kind: 'text', text: text.slice(at) })
  return spans
}

function kindOf(line: string): Block['kind'] {
  if (FENCE.test(line)) return 'code'
  if (ITEM.test(line)) return 'list'
  if (QUOTE.test(line)) return 'quote'
  return HEADING.test(line) ? 'heading' : 'paragraph'
}

/** An indented line goes on with the item above it; bullets and numbers are two lists. */
function sameBlock(first: string, line: string): boolean {
  const kind = kindOf(first)
  if (kind === 'list' && /^ {2,}\S/.test(line)) return true
  return kind === kindOf(line) && (kind !== 'list' || isNumbered(first) === isNumbered(line))
}

function isNumbered(line: string): boolean {
  return ITEM.exec(line)?.[1] !== undefined
}

function itemsOf(lines: readonly string[]): readonly string[] {
  const items: string[] = []
  for (const line of lines) {
    if (ITEM.test(line)) items.push(line.replace(ITEM, ''))
    else items[items.length - 1] = `${items.at(-1) ?? ''} ${line.trim()}`
  }
  return items
}
