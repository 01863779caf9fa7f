import { WaggleError } from '#shared/errors/waggle-error.ts'

import { openArchive } from '../archive/open-archive.ts'
import type { Archive } from '../archive/open-archive.ts'
import { readXml } from '../archive/read-xml.ts'
import { relationsOf } from '../archive/relations.ts'
import { block, tableBlocks } from '../block.ts'
import { flatPage, filled } from '../one-page.ts'
import type { Block } from '../parsed-page.ts'
import { questionRows } from '../question-rows.ts'
import type { Reader } from '../reader.ts'
import { coreProperties } from './read-docx.ts'
import { dateStyles } from './sheet-dates.ts'
import { readSheet } from './read-sheet.ts'

interface Sheet {
  readonly name: string
  readonly part: string
  readonly hidden: boolean
}

/** A workbook, a page for each visible sheet: its name as the heading, then its tables, which empty rows divide. */
export const readXlsx: Reader = async ({ bytes, from, limits }, ports) => {
  const archive = openArchive(bytes, limits, (name) => /\.(?:xml|rels)$/.test(name))
  const { sheets, epoch1904 } = workbook(archive)
  const shown = sheets.filter((sheet) => !sheet.hidden)
  if (shown.length > limits.pages) {
    throw new WaggleError('DOCUMENT_TOO_LARGE', { reason: `It has ${shown.length} sheets; ${limits.pages} are read.` })
  }
  const strings = sharedStrings(archive)
  const dates = dateStyles(archive.get('xl/styles.xml'))
  for (const [at, sheet] of shown.entries()) {
    if (at + 1 < from) continue
    ports.beginPage(at + 1)
    const bytesOfSheet = archive.get(sheet.part)
    const rows =
      bytesOfSheet === undefined ? [] : readSheet(bytesOfSheet, { strings, dates, epoch1904, maxChars: limits.chars })
    await flatPage(ports, at + 1, shown.length, sheetBlocks(sheet.name, rows))
  }
  const { title = '', ...metadata } = coreProperties(archive)
  const hidden = sheets.length - shown.length
  return {
    pages: shown.length,
    title,
    metadata: filled({ ...metadata, hiddenSheets: hidden === 0 ? '' : String(hidden) }),
  }
}

function sheetBlocks(name: string, rows: readonly (readonly string[])[]): Block[] {
  const heading = block('heading', name, 1)
  const blocks: Block[] = heading === null ? [] : [heading]
  let table: (readonly string[])[] = []
  const flush = (): void => {
    const [only] = table
    // One cell by itself above a table is its title.
    const single = table.length === 1 ? only?.filter((cell) => cell !== '') : undefined
    const title = single?.length === 1 ? block('heading', single[0] ?? '', 2) : null
    blocks.push(...(title === null ? (questionRows(table) ?? tableBlocks(table)) : [title]))
    table = []
  }
  for (const row of rows) {
    if (row.every((cell) => cell === '')) flush()
    else table.push(row)
  }
  flush()
  return blocks
}

function workbook(archive: Archive): { sheets: Sheet[]; epoch1904: boolean } {
  const bytes = archive.get('xl/workbook.xml')
  if (bytes === undefined)
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 0, reason: 'It has no xl/workbook.xml.' })
  const parts = new Map(relationsOf(archive, 'xl/workbook.xml').map(({ id, target }) => [id, target]))
  const sheets: Sheet[] = []
  let epoch1904 = false
  readXml(bytes, {
    open({ name, attributes }) {
      if (name === 'workbookPr') epoch1904 = /^(?:1|true)$/.test(attributes['date1904'] ?? '')
      if (name !== 'sheet') return
      sheets.push({
        name: attributes['name'] ?? '',
        part: parts.get(attributes['r:id'] ?? '') ?? '',
        hidden: (attributes['state'] ?? 'visible') !== 'visible',
      })
    },
  })
  return { sheets, epoch1904 }
}

function sharedStrings(archive: Archive): string[] {
  const bytes = archive.get('xl/sharedStrings.xml')
  const strings: string[] = []
  if (bytes === undefined) return strings
  let text = ''
  let inText = false
  let phonetic = 0
  readXml(bytes, {
    open({ name }) {
      if (name === 'si') text = ''
      if (name === 'rPh') phonetic += 1
      inText = name === 't' && phonetic === 0
    },
    close(name) {
      if (name === 'si') strings.push(text)
      if (name === 'rPh') phonetic -= 1
      inText = false
    },
    text: (piece) => {
      if (inText) text += piece
    },
  })
  return strings
}
