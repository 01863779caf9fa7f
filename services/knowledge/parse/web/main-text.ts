import { Readability } from '@mozilla/readability'

import type { Block } from '../parsed-page.ts'
import { htmlBlocks } from './html-blocks.ts'
import { inlineText } from './inline-text.ts'
import { parseHtml } from './parse-html.ts'
import type { HtmlElement } from './parse-html.ts'

/** What surrounds the text of a page. */
const AROUND = 'nav, footer, aside, form, [role=navigation], [role=banner], [role=contentinfo], [role=search]'
/** Readability's choice holds less of the page's text than this: it took one part of many. */
const LEAST_SHARE = 0.5
/** Below this a page is a note, and all of it is its text. */
const SHORT_CHARS = 1_200
const MAX_ELEMENTS = 200_000

export interface MainText {
  readonly title: string
  readonly blocks: readonly Block[]
}

/**
 * The text a page is about: Readability's article where that is most of what is not navigation, else the body without what
 * surrounds it.
 */
export function mainText(html: string): MainText {
  const page = parseHtml(html)
  const title = page.title.trim()
  const body = page.body
  if (body === null) return { title, blocks: [] }
  for (const element of Array.from(body.querySelectorAll(AROUND))) element.remove()
  const whole = htmlBlocks(body)
  const chars = charsOf(whole)
  if (chars < SHORT_CHARS) return { title: title || headingOf(whole), blocks: whole }
  const article = readability(html)
  const found = article === null ? [] : htmlBlocks(article)
  if (charsOf(found) < LEAST_SHARE * chars) return { title: title || headingOf(whole), blocks: whole }
  // It takes the title out of the text, and with it the head of the headings.
  const h1 = body.querySelector('h1')
  const head = h1 === null ? title : inlineText(h1)
  const missing = head !== '' && !found.some(({ kind, text }) => kind === 'heading' && text === head)
  const blocks: Block[] = missing ? [{ kind: 'heading', level: 1, text: head, lines: [], header: '' }, ...found] : found
  return { title: title || head, blocks }
}

function readability(html: string): HtmlElement | null {
  const document = parseHtml(html)
  try {
    const reader = new Readability(document as unknown as ConstructorParameters<typeof Readability>[0], {
      serializer: (node) => node as unknown,
      maxElemsToParse: MAX_ELEMENTS,
      keepClasses: true,
    })
    return (reader.parse()?.content ?? null) as HtmlElement | null
  } catch {
    return null // more elements than it may look at, or markup it cannot read: the whole body is the text
  }
}

function charsOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { text }) => sum + text.length, 0)
}

function headingOf(blocks: readonly Block[]): string {
  return blocks.find(({ kind }) => kind === 'heading')?.text ?? ''
}
