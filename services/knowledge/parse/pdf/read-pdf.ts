/**
 * A PDF page by page: runs -> rows -> without running headers -> regions in reading order -> blocks. Pages are read a little
 * ahead (running lines are known by their neighbours) and from a little before `from`, so that the text of a page is the
 * same wherever reading begins.
 */
import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { ParsedPage } from '../parsed-page.ts'
import type { Reader } from '../reader.ts'
import { toBlocks } from './blocks.ts'
import { bodySizeOf } from './headings.ts'
import { learnFonts, openPdf, unreadable } from './pdf-library.ts'
import type { OpenPdf, PdfPage } from './pdf-library.ts'
import { readingOrder } from './reading-order.ts'
import { renderPage } from './render-page.ts'
import { toRows } from './rows.ts'
import { NEIGHBOURS, withoutRunningLines } from './running-lines.ts'
import type { PageRows } from './running-lines.ts'
import { readRuns } from './text-run.ts'
import type { FontStyle, PdfTextItem } from './text-run.ts'

/** A page with fewer characters that also paints a picture is a scan with a stamp on it. */
const SCAN_CHARS = 40
/** Share of characters without meaning (private use, unknown) from which the text is no text: a font without its mapping. */
const GARBLED = 0.3

interface ReadPage extends PageRows {
  readonly width: number
  readonly turned: readonly string[]
  /** Recognised in a picture; it then has no rows. */
  readonly recognized: ParsedPage | null
}

export const readPdf: Reader = async ({ bytes, from, limits }, ports) => {
  const pdf = await openPdf(bytes, limits)
  const { document } = pdf
  const count = document.numPages
  try {
    if (count > limits.pages) {
      throw new WaggleError('DOCUMENT_TOO_LARGE', { reason: `It has ${count} pages; ${limits.pages} are read.` })
    }
    const fonts = new Map<string, FontStyle>()
    const window = new Map<number, ReadPage>()
    const first = Math.max(1, from - NEIGHBOURS)
    let read = first - 1
    for (let number = from; number <= count; number += 1) {
      while (read < Math.min(count, number + NEIGHBOURS)) {
        read += 1
        ports.beginPage(read)
        // What is before `from` was recognised when it was handed over.
        window.set(read, await readPage(pdf, read, fonts, read < from ? null : ports.recognize, limits.pixels))
      }
      window.delete(number - NEIGHBOURS - 1)
      const page = window.get(number)
      if (page !== undefined) await ports.page(finished(page, [...window.values()]), count)
    }
    const { info } = await document.getMetadata()
    return { pages: count, title: word(info['Title']), metadata: metadataOf(info) }
  } finally {
    await pdf.close()
  }
}

async function readPage(
  pdf: OpenPdf,
  number: number,
  fonts: Map<string, FontStyle>,
  recognize: Parameters<Reader>[1]['recognize'] | null,
  maxPixels: number,
): Promise<ReadPage> {
  try {
    const page = await pdf.document.getPage(number)
    const { width, height, transform } = page.getViewport({ scale: 1 })
    const { items, styles } = await page.getTextContent()
    await learnFonts(page, Object.keys(styles), fonts)
    const texts = items.filter((item): item is PdfTextItem => typeof item.str === 'string')
    const shape = { number, width, height }
    const scanned = looksScanned(texts) && (await paintsPicture(pdf, page, texts))
    if (scanned) {
      const recognized =
        recognize === null ? null : await recognize(await renderPage(page, maxPixels), { number, width, height })
      page.cleanup()
      if (recognize === null || (recognized !== null && recognized.blocks.length > 0)) {
        return { ...shape, rows: [], turned: [], recognized }
      }
    }
    const { upright, turned } = readRuns(texts, fonts, transform)
    page.cleanup()
    return { ...shape, rows: toRows(upright), turned, recognized: null }
  } catch (thrown) {
    throw unreadable(thrown, number)
  }
}

function looksScanned(texts: readonly PdfTextItem[]): boolean {
  const text = texts.map(({ str }) => str.trim()).join('')
  if (text.length < SCAN_CHARS) return true
  const garbled = text.match(/[\p{Co}\p{Cc}\ufffd]/gu)?.length ?? 0
  return garbled > GARBLED * text.length
}

/** Text without meaning is rendered whether or not there is a picture: its glyphs are the picture. */
async function paintsPicture(pdf: OpenPdf, page: PdfPage, texts: readonly PdfTextItem[]): Promise<boolean> {
  if (texts.reduce((sum, { str }) => sum + str.trim().length, 0) >= SCAN_CHARS) return true
  const { fnArray } = await page.getOperatorList()
  return pdf.paintsPicture(fnArray)
}

function finished(page: ReadPage, window: readonly ReadPage[]): ParsedPage {
  const { number, width, height, turned, recognized } = page
  if (recognized !== null) return recognized
  const near = window.filter((other) => Math.abs(other.number - number) <= NEIGHBOURS)
  const bodySize = bodySizeOf(near.flatMap((other) => other.rows))
  const regions = readingOrder(withoutRunningLines(page, near, bodySize))
  const blocks = regions.flatMap((region) => toBlocks(region, bodySize))
  const aside = turned.join(' ').replaceAll(/\s+/g, ' ').trim()
  if (aside !== '') blocks.push({ kind: 'paragraph', level: 0, text: aside, lines: [], header: '' })
  return { number, width, height, blocks, ocr: false }
}

function metadataOf(info: Readonly<Record<string, unknown>>): Record<string, string> {
  const fields = {
    author: 'Author',
    subject: 'Subject',
    keywords: 'Keywords',
    created: 'CreationDate',
    changed: 'ModDate',
  }
  return Object.fromEntries(
    Object.entries(fields)
      .map(([name, key]) => [name, word(info[key])] as const)
      .filter(([, value]) => value !== ''),
  )
}

function word(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
