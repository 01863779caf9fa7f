import { block } from '../block.ts'
import { firstHeading, onePage } from '../one-page.ts'
import type { Block } from '../parsed-page.ts'
import type { Reader } from '../reader.ts'
import { decodeText } from './decode-text.ts'

const UNDERLINED = /^(\S[^\n]{0,200})\n(={3,}|-{3,})$/
const MAX_TITLE_CHARS = 90
const ITEM = /^\s*(?:[-*•–]\s|\(?\d{1,3}[.)]\s)/

/** Paragraphs of a plain text, exactly as they are; lines that are underlined, or shout, are headings. */
export function textBlocks(text: string): Block[] {
  return text
    .split(/\n[^\S\n]*\n\s*/)
    .map((paragraph) => paragraph.trim())
    .flatMap((paragraph) => {
      const underlined = UNDERLINED.exec(paragraph)
      const made =
        underlined === null
          ? isTitle(paragraph)
            ? block('heading', paragraph, 2)
            : block(isList(paragraph) ? 'list' : 'paragraph', paragraph)
          : block('heading', underlined[1] ?? '', underlined[2]?.startsWith('=') === true ? 1 : 2)
      return made === null ? [] : [made]
    })
}

function isTitle(paragraph: string): boolean {
  return (
    paragraph.length <= MAX_TITLE_CHARS &&
    !paragraph.includes('\n') &&
    /\p{Lu}{3}/u.test(paragraph) &&
    !/\p{Ll}/u.test(paragraph) &&
    !/[.!,;]$/.test(paragraph)
  )
}

function isList(paragraph: string): boolean {
  const lines = paragraph.split('\n')
  return (
    lines.length > 1 && ITEM.test(lines[0] ?? '') && lines.filter((line) => ITEM.test(line)).length >= lines.length / 2
  )
}

export const readText: Reader = async ({ bytes }, ports) => {
  const blocks = textBlocks(decodeText(bytes))
  return onePage(ports, blocks, firstHeading(blocks))
}
