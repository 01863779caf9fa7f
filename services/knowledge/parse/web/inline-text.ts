import { oneLine } from '../block.ts'
import { ELEMENT_NODE, TEXT_NODE } from './parse-html.ts'
import type { HtmlElement } from './parse-html.ts'

/** Never text for a reader. */
export const DROPPED = new Set(
  'script style noscript template svg math iframe object embed canvas audio video button select input textarea link meta head'.split(
    ' ',
  ),
)
/** Flow text around them ends. */
export const BLOCKS = new Set(
  'address article aside blockquote body center details dialog dd div dl dt fieldset figure footer form header hgroup hr html legend li main nav ol p section summary ul'.split(
    ' ',
  ),
)
export const HEADING = /^h([1-6])$/
/** Deeper than any author nests, and shallow enough for the stack. */
export const MAX_DEPTH = 400

/** All text within, on one line, blocks apart by blanks. */
export function inlineText(element: HtmlElement, without: ReadonlySet<string> = new Set(), depth = 0): string {
  if (depth > MAX_DEPTH) return oneLine(element.textContent ?? '')
  let text = ''
  for (const node of element.childNodes) {
    if (node.nodeType === TEXT_NODE) text += node.textContent ?? ''
    if (node.nodeType !== ELEMENT_NODE) continue
    const child = node as HtmlElement
    if (DROPPED.has(child.localName) || without.has(child.localName) || isHidden(child)) continue
    const inner = inlineText(child, without, depth + 1)
    const apart =
      BLOCKS.has(child.localName) || HEADING.test(child.localName) || /^(?:br|t[dhr]|table)$/.test(child.localName)
    // Blanks at the ends of an inline element are the sentence's.
    const raw = child.textContent ?? ''
    text += apart ? ` ${inner} ` : `${/^\s/.test(raw) ? ' ' : ''}${inner}${/\s$/.test(raw) ? ' ' : ''}`
  }
  return oneLine(text)
}

export function isHidden(element: HtmlElement): boolean {
  return (
    element.getAttribute('hidden') !== null ||
    element.getAttribute('aria-hidden') === 'true' ||
    /display\s*:\s*none|visibility\s*:\s*hidden/i.test(element.getAttribute('style') ?? '')
  )
}
