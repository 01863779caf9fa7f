import { PDFDocument } from 'pdf-lib'

import { DEFAULT_LIMITS } from '#services/knowledge/parse/limits.ts'
import { openParser } from '#services/knowledge/parse/parse-document.ts'
import type { Parser } from '#services/knowledge/parse/parse-document.ts'
import type { ParsedPage } from '#services/knowledge/parse/parsed-page.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { pagePicture, wordAccuracy } from '#test/bench/documents/page-picture.ts'
import { assert, suite } from '#test/kit/suite.ts'

const SLOW_MS = 180_000

suite('text in pictures', ({ test, before, after }) => {
  let parser: Parser
  before(() => {
    parser = openParser({ processes: 1 })
  })
  after(() => parser.close())

  const read = async (
    bytes: Uint8Array,
    name: string,
    signal = new AbortController().signal,
  ): Promise<readonly ParsedPage[]> => {
    const pages: ParsedPage[] = []
    await parser.parseDocument(
      { bytes, mime: '', name },
      { signal, limits: DEFAULT_LIMITS, onPage: async (page) => void pages.push(page) },
    )
    return pages
  }

  test(
    'a scanned page of a PDF, and a small picture of it, are read with few errors',
    async () => {
      const { png, text } = pagePicture({ dpi: 300, seed: 1, lines: 12 })
      const pdf = await PDFDocument.create()
      pdf.addPage([612, 792]).drawImage(await pdf.embedPng(png), { x: 0, y: 0, width: 612, height: 792 })
      const [page] = await read(await pdf.save(), 'scan.pdf')
      assert.is(page?.ocr, true)
      const words = (page?.blocks ?? []).map((block) => block.text).join(' ')
      assert.ok(wordAccuracy(text, words) >= 0.97, words)
      const [line] = page?.blocks[0]?.lines ?? []
      const [x0 = 0, y0 = 0] = line?.box ?? []
      // The first line begins an inch from the left and from the top.
      assert.ok(Math.abs(x0 - 72) < 3 && Math.abs(y0 - 64) < 8, `${x0} ${y0}`)

      const small = pagePicture({ dpi: 80, seed: 2, lines: 8 })
      const [picture] = await read(small.png, 'photo.png')
      assert.ok(wordAccuracy(small.text, (picture?.blocks ?? []).map((block) => block.text).join(' ')) >= 0.9)
      assert.is(picture?.width, Math.round(8.5 * 80))
    },
    { deadlineMs: SLOW_MS },
  )

  test(
    'a picture that says it is larger than it may be is refused undecoded, a damaged one is an error, a cancelled one ends',
    async () => {
      const { png } = pagePicture({ dpi: 72, seed: 3, lines: 2 })
      const huge = png.slice()
      new DataView(huge.buffer).setUint32(16, 1_000_000)
      const code = async (reading: Promise<unknown>): Promise<string> =>
        reading.then(
          () => 'read',
          (error: unknown) => (error instanceof WaggleError ? error.code : String(error)),
        )
      assert.is(await code(read(huge, 'huge.png')), 'DOCUMENT_TOO_LARGE')
      assert.is(await code(read(png.slice(0, 40), 'cut.png')), 'DOCUMENT_UNREADABLE')
      const controller = new AbortController()
      const reading = code(read(png, 'page.png', controller.signal))
      controller.abort()
      assert.is(await reading, 'CANCELLED')
    },
    { deadlineMs: SLOW_MS },
  )
})
