import { openRecognizer } from '#services/knowledge/ocr/recognizer.ts'
import { recognizedPage } from '#services/knowledge/ocr/recognized-page.ts'
import { preparedPicture } from '#services/knowledge/parse/image/prepared-picture.ts'

import { pagePicture, wordAccuracy } from '../documents/page-picture.ts'
import type { Figure, Row } from '../row.ts'

/**
 * How many words of a page are recognised. Pages are rendered here, so every word is known: clean letter pages of seeded prose
 * in 11 points at 300 dpi, and the same at the 96 dpi of a screen shot, which are enlarged first. A word counts when it is
 * read exactly, with its punctuation. What is not measured: real scans, with their noise, skew, stains and tables.
 */
export const figure: Figure = {
  name: 'ocr',
  async run({ quick, say }) {
    const pages = quick ? 1 : PAGES
    const recognizer = openRecognizer()
    const read = async (dpi: number, seed: number): Promise<{ accuracy: number; seconds: number }> => {
      const { png, text } = pagePicture({ dpi, seed, lines: quick ? 4 : LINES })
      const begun = performance.now()
      const { png: prepared, scale } = dpi < SCAN_DPI ? await preparedPicture(png, MAX_PIXELS) : { png, scale: 1 }
      const lines = await recognizer.recognize(prepared, new AbortController().signal)
      const page = recognizedPage(lines, 1 / scale, { number: 1, width: 0, height: 0 })
      const words = page.blocks.map((block) => block.text).join(' ')
      return { accuracy: wordAccuracy(text, words), seconds: (performance.now() - begun) / 1_000 }
    }
    const measure = async (part: string, dpi: number): Promise<Row> => {
      const results: { accuracy: number; seconds: number }[] = []
      for (let seed = 1; seed <= pages; seed += 1) {
        results.push(await read(dpi, seed))
        say(`${part}: page ${seed} of ${pages}`)
      }
      const value = mean(results.map(({ accuracy }) => accuracy))
      const note = `${pages} pages, ${mean(results.map(({ seconds }) => seconds)).toFixed(1)} s each on one core`
      const clean = dpi === SCAN_DPI
      return {
        name: `ocr/${part}`,
        value,
        unit: 'share of words',
        baseline: null,
        ratio: null,
        bar: clean ? '>= 0.97' : 'reported',
        ok: clean ? value >= LEAST : null,
        note,
      }
    }
    try {
      return [await measure('clean-300dpi', SCAN_DPI), await measure('screen-96dpi', SCREEN_DPI)]
    } finally {
      await recognizer.close()
    }
  },
}

const PAGES = 5
const LINES = 36
const SCAN_DPI = 300
const SCREEN_DPI = 96
const LEAST = 0.97
const MAX_PIXELS = 50_000_000

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
