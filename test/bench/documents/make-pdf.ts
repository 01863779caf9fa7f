import { PDFDocument, StandardFonts } from 'pdf-lib'
import type { PDFFont, PDFPage } from 'pdf-lib'

import { seededRandom } from '#shared/lib/random.ts'

/** Words of no meaning but of English length and spelling, so that lines break as they do in prose. */
const WORDS =
  'account address agreement amount answer arrival balance battery branch budget calendar carrier channel claim client contract country cover credit customer damage deadline delivery deposit device discount document engine estimate evening exchange expense factory feature garden handle holiday hospital household income increase industry insurance interest invoice journey keyboard language letter library machine manager market measure meeting message method minute model morning network number office order package paper partner payment period person picture policy postage premium price printer process product profit project promise purchase quality quarter question reason receipt refund region repair report request result return river safety sample schedule season section service shipment signal station storage student subject summer supplier surface survey system ticket training transfer update value vehicle village warranty weather window winter written yearly'.split(
    ' ',
  )
const SMALL = 'the of and to in a for with on at by from is was are that which as its not this may shall'.split(' ')

const WIDTH = 612
const HEIGHT = 792
const MARGIN = 72
const LEADING = 1.3
const BODY = 10

/** A report of so many pages: running header and footer, headings, paragraphs and a table on each. Same seed, same pages. */
export async function makePdf(pages: number, seed: number): Promise<Uint8Array> {
  const random = seededRandom(seed)
  const pdf = await PDFDocument.create()
  const [plain, bold] = [
    await pdf.embedFont(StandardFonts.TimesRoman),
    await pdf.embedFont(StandardFonts.HelveticaBold),
  ]
  for (let number = 1; number <= pages; number += 1) {
    const page = pdf.addPage([WIDTH, HEIGHT])
    const pen = new Pen(page, plain)
    page.drawText('Yearly report of the carrier', { x: MARGIN, y: HEIGHT - 36, size: 8, font: plain })
    page.drawText(`Page ${number} of ${pages}`, { x: WIDTH - 130, y: 36, size: 8, font: plain })
    pen.line(`${number}. ${capital(phrase(random, 3))}`, { size: 16, font: bold })
    for (let paragraph = 0; paragraph < 3; paragraph += 1) pen.paragraph(prose(random, 5))
    pen.line(capital(phrase(random, 2)), { size: 12, font: bold })
    pen.table([
      ['Region', 'Shipments', 'Income'],
      ...Array.from({ length: 8 }, () => [
        capital(pick(random, WORDS)),
        amount(random, 9_000),
        amount(random, 900_000),
      ]),
    ])
    while (pen.hasRoom) pen.paragraph(prose(random, 4))
  }
  return pdf.save()
}

class Pen {
  readonly #page: PDFPage
  readonly #font: PDFFont
  #y = HEIGHT - MARGIN

  constructor(page: PDFPage, font: PDFFont) {
    this.#page = page
    this.#font = font
  }

  get hasRoom(): boolean {
    return this.#y > MARGIN + 8 * BODY * LEADING
  }

  line(text: string, { size, font }: { readonly size: number; readonly font: PDFFont }): void {
    this.#y -= size * 1.6
    this.#page.drawText(text, { x: MARGIN, y: this.#y, size, font })
    this.#y -= size * 0.6
  }

  paragraph(text: string): void {
    let line = ''
    for (const word of text.split(' ')) {
      const longer = line === '' ? word : `${line} ${word}`
      if (this.#font.widthOfTextAtSize(longer, BODY) > WIDTH - 2 * MARGIN) {
        this.#put(line)
        line = word
      } else line = longer
    }
    this.#put(line)
    this.#y -= BODY * 0.8
  }

  table(rows: readonly (readonly string[])[]): void {
    for (const row of rows) {
      this.#y -= BODY * LEADING
      for (const [at, cell] of row.entries()) {
        this.#page.drawText(cell, { x: MARGIN + at * 150, y: this.#y, size: BODY, font: this.#font })
      }
    }
    this.#y -= BODY
  }

  #put(text: string): void {
    this.#y -= BODY * LEADING
    this.#page.drawText(text, { x: MARGIN, y: this.#y, size: BODY, font: this.#font })
  }
}

/** So many sentences. */
export function prose(random: () => number, sentences: number): string {
  return Array.from({ length: sentences }, () => {
    const words = Array.from({ length: 8 + Math.floor(random() * 10) }, (_, at) =>
      pick(random, at % 2 === 0 ? SMALL : WORDS),
    )
    return `${capital(words.join(' '))}.`
  }).join(' ')
}

function phrase(random: () => number, words: number): string {
  return Array.from({ length: words }, () => pick(random, WORDS)).join(' ')
}

function pick(random: () => number, from: readonly string[]): string {
  return from[Math.floor(random() * from.length)] ?? ''
}

function amount(random: () => number, most: number): string {
  return Math.floor(random() * most).toLocaleString('en-US')
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
