import { parseHTML } from 'linkedom'

import { decodeText } from '../text/decode-text.ts'

/** What we use of a document's nodes; linkedom brings its own types, which want a browser's. */
export interface HtmlNode {
  readonly nodeType: number
  readonly textContent: string | null
  readonly childNodes: Iterable<HtmlNode>
}

export interface HtmlElement extends HtmlNode {
  readonly localName: string
  readonly children: Iterable<HtmlElement>
  innerHTML: string
  getAttribute(name: string): string | null
  querySelector(selector: string): HtmlElement | null
  querySelectorAll(selector: string): Iterable<HtmlElement>
  remove(): void
}

export interface HtmlDocument {
  readonly title: string
  readonly documentElement: HtmlElement | null
  readonly body: HtmlElement | null
  querySelector(selector: string): HtmlElement | null
  querySelectorAll(selector: string): Iterable<HtmlElement>
}

export const ELEMENT_NODE = 1
export const TEXT_NODE = 3

export function parseHtml(html: string): HtmlDocument {
  // linkedom makes no <html> and <body> around a fragment.
  const whole = /<(?:html|body)[\s>]/i.test(html) ? html : `<!doctype html><html><body>${html}</body></html>`
  return parseHTML(whole).document as unknown as HtmlDocument
}

const DECLARED_IN_BYTES = 2_048

/** The encoding of the header, else the one the page declares about itself. */
export function decodeHtml(bytes: Uint8Array, contentType = ''): string {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, DECLARED_IN_BYTES))
  const named =
    /charset=["']?([\w-]+)/i.exec(contentType)?.[1] ?? /<meta[^>]+charset=["']?\s*([\w-]+)/i.exec(head)?.[1] ?? ''
  return decodeText(bytes, named)
}
