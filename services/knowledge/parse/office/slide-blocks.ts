import { readXml } from '../archive/read-xml.ts'
import { block, oneLine, tableBlocks } from '../block.ts'
import type { Block } from '../parsed-page.ts'

export interface SlideParagraph {
  readonly text: string
  /** Depth of its indent. */
  readonly level: number
}

type Part =
  | { readonly kind: 'shape'; readonly placeholder: string; readonly paragraphs: readonly SlideParagraph[] }
  | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] }

const TITLES = new Set(['title', 'ctrTitle'])
/** Said on every slide. */
const FURNITURE = new Set(['dt', 'ftr', 'sldNum', 'hdr', 'sldImg'])

export function slideBlocks(bytes: Uint8Array): Block[] {
  const parts = partsOf(bytes)
  const isTitle = (part: Part): boolean => part.kind === 'shape' && TITLES.has(part.placeholder)
  // The title is read first, wherever it stands in the file.
  return [...parts.filter(isTitle), ...parts.filter((part) => !isTitle(part))].flatMap(toBlocks)
}

/** Paragraphs of the shapes with one of these placeholders. */
export function slideParagraphs(bytes: Uint8Array, placeholders: ReadonlySet<string>): SlideParagraph[] {
  return partsOf(bytes).flatMap((part) =>
    part.kind === 'shape' && placeholders.has(part.placeholder) ? [...part.paragraphs] : [],
  )
}

function toBlocks(part: Part): Block[] {
  if (part.kind === 'table') return tableBlocks(part.rows)
  const { placeholder, paragraphs } = part
  const made: (Block | null)[] = []
  if (TITLES.has(placeholder)) made.push(block('heading', paragraphs.map(({ text }) => text).join(' '), 1))
  else if (placeholder === 'subTitle') made.push(block('heading', paragraphs.map(({ text }) => text).join(' '), 2))
  else if (paragraphs.length > 1) {
    made.push(block('list', paragraphs.map(({ text, level }) => `${'  '.repeat(level)}- ${text}`).join('\n')))
  } else made.push(block('paragraph', paragraphs[0]?.text ?? ''))
  return made.filter((one) => one !== null)
}

function partsOf(bytes: Uint8Array): Part[] {
  const parts: Part[] = []
  let shape: { placeholder: string; paragraphs: SlideParagraph[] } | null = null
  let rows: string[][] | null = null
  let paragraph: { text: string; level: number } | null = null
  let inText = false
  readXml(bytes, {
    open({ name, attributes }) {
      inText = name === 't'
      if (name === 'sp') shape = { placeholder: '', paragraphs: [] }
      else if (name === 'ph' && shape !== null) shape.placeholder = attributes['type'] ?? 'body'
      else if (name === 'tbl') rows = []
      else if (name === 'tr') rows?.push([])
      else if (name === 'tc') rows?.at(-1)?.push('')
      else if (name === 'p') paragraph = { text: '', level: 0 }
      else if (name === 'pPr' && paragraph !== null) paragraph.level = Math.min(8, Number(attributes['lvl'] ?? 0) || 0)
      else if (name === 'br' && paragraph !== null) paragraph.text += ' '
    },
    close(name) {
      inText = false
      if (name === 'p' && paragraph !== null) {
        const text = oneLine(paragraph.text)
        const row = rows?.at(-1)
        if (row !== undefined && row.length > 0) row.push(oneLine(`${row.pop() ?? ''} ${text}`))
        else if (text !== '') shape?.paragraphs.push({ text, level: paragraph.level })
        paragraph = null
      } else if (name === 'tbl' && rows !== null) {
        parts.push({ kind: 'table', rows })
        rows = null
      } else if (name === 'sp' && shape !== null) {
        if (!FURNITURE.has(shape.placeholder)) parts.push({ kind: 'shape', ...shape })
        shape = null
      }
    },
    text: (text) => {
      if (inText && paragraph !== null) paragraph.text += text
    },
  })
  return parts
}
