import { block, oneLine, tableBlocks } from '../block.ts'
import type { Block, BlockKind } from '../parsed-page.ts'
import { BLOCKS, DROPPED, HEADING, MAX_DEPTH, inlineText, isHidden } from './inline-text.ts'
import { ELEMENT_NODE, TEXT_NODE } from './parse-html.ts'
import type { HtmlElement, HtmlNode } from './parse-html.ts'
import { tableGrid } from './table-grid.ts'

/** The blocks of a part of a page, in document order. */
export function htmlBlocks(root: HtmlElement): Block[] {
  const walk = new Walk()
  walk.children(root, 0)
  walk.flush()
  return walk.blocks
}

class Walk {
  readonly blocks: Block[] = []
  #text = ''
  #kind: BlockKind = 'paragraph'

  flush(kind: BlockKind = this.#kind): void {
    const text = this.#text
      .split('\n')
      .map(oneLine)
      .join('\n')
      .replaceAll(/\n{2,}/g, '\n')
    this.#text = ''
    this.#add(block(kind, text))
  }

  children(element: HtmlElement, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.#text += ` ${oneLine(element.textContent ?? '')}`
      return
    }
    for (const node of element.childNodes) this.#node(node, depth)
  }

  #node(node: HtmlNode, depth: number): void {
    if (node.nodeType === TEXT_NODE) this.#text += (node.textContent ?? '').replaceAll(/\s+/g, ' ')
    if (node.nodeType !== ELEMENT_NODE) return
    const element = node as HtmlElement
    const name = element.localName
    if (DROPPED.has(name) || isHidden(element)) return
    const level = HEADING.exec(name)?.[1]
    if (level !== undefined) {
      this.flush()
      this.#add(block('heading', inlineText(element), Number(level)))
    } else if (name === 'br') this.#text += '\n'
    else if (name === 'pre') {
      this.flush()
      this.#add(block('code', (element.textContent ?? '').replaceAll(/[ \t]+$/gm, '')))
    } else if (name === 'ul' || name === 'ol') {
      this.flush()
      this.#add(block('list', listLines(element, 0).join('\n')))
    } else if (name === 'dl') {
      this.flush()
      this.#definitions(element, depth)
    } else if (name === 'table') {
      this.flush()
      this.#table(element, depth)
    } else if (name === 'figcaption' || name === 'caption') {
      this.flush()
      this.#add(block('caption', inlineText(element)))
    } else if (name === 'summary' && inlineText(element).endsWith('?')) {
      this.flush()
      this.#add(block('question', inlineText(element)))
      this.#kind = 'answer'
    } else if (BLOCKS.has(name)) {
      this.flush()
      this.children(element, depth + 1)
      this.flush()
      if (name === 'details') this.#kind = 'paragraph'
    } else this.children(element, depth + 1)
  }

  #definitions(list: HtmlElement, depth: number): void {
    const terms = Array.from(list.querySelectorAll('dt'), (term) => inlineText(term))
    const asked = terms.length > 0 && terms.filter((term) => term.endsWith('?')).length > terms.length / 2
    for (const element of flattened(list)) {
      if (element.localName === 'dt') this.#add(block(asked ? 'question' : 'paragraph', inlineText(element)))
      else if (element.localName === 'dd') {
        this.#kind = asked ? 'answer' : 'paragraph'
        this.children(element, depth + 1)
        this.flush()
        this.#kind = 'paragraph'
      }
    }
  }

  #table(element: HtmlElement, depth: number): void {
    const { caption, rows, header, isLayout } = tableGrid(element)
    if (isLayout) return this.children(element, depth + 1)
    if (caption !== '') this.#add(block('caption', caption))
    this.blocks.push(...tableBlocks(rows, header))
  }

  #add(made: Block | null): void {
    if (made !== null) this.blocks.push(made)
  }
}

function flattened(list: HtmlElement): HtmlElement[] {
  return [...list.children].flatMap((child) => (child.localName === 'div' ? [...child.children] : [child]))
}

/** "- " or "1. " before each item, nested ones set in by two blanks. */
function listLines(list: HtmlElement, depth: number): string[] {
  const lines: string[] = []
  let number = Number(list.getAttribute('start') ?? 1) || 1
  for (const item of list.children) {
    if (item.localName === 'ul' || item.localName === 'ol') {
      if (depth < MAX_DEPTH) lines.push(...listLines(item, depth + 1))
      continue
    }
    if (item.localName !== 'li' || isHidden(item)) continue
    const nested = [...item.children].filter((child) => child.localName === 'ul' || child.localName === 'ol')
    const own = inlineText(item, new Set(['ul', 'ol']))
    const mark = list.localName === 'ol' ? `${number}.` : '-'
    if (own !== '') lines.push(`${'  '.repeat(Math.min(depth, 20))}${mark} ${own}`)
    number += 1
    if (depth < MAX_DEPTH) for (const inner of nested) lines.push(...listLines(inner, depth + 1))
  }
  return lines
}
