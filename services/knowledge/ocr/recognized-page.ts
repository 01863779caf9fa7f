import type { ParsedPage } from '../parse/parsed-page.ts'
import { toBlocks } from '../parse/pdf/blocks.ts'
import { bodySizeOf } from '../parse/pdf/headings.ts'
import { readingOrder } from '../parse/pdf/reading-order.ts'
import { toRows } from '../parse/pdf/rows.ts'
import type { TextRun } from '../parse/pdf/text-run.ts'
import type { PageShape } from '../parse/reader.ts'
import type { RecognizedLine, RecognizedWord } from './recognizer.ts'

/** A line below it is a line of a drawing. */
const LEAST_CONFIDENCE = 30
/** Rows are as high as type with its ascenders and descenders; a size is a bit more than that. */
const SIZE_PER_HEIGHT = 0.9
/** Heights differ by chance: one this near to the usual one is the usual one. */
const SAME_HEIGHT = 0.18
const SAME_RULE_PX = 3
const LEAST_BARS = 3

/** Words with their boxes go the way of a PDF's text: rows, reading order, blocks. */
export function recognizedPage(lines: readonly RecognizedLine[], pointsPerPixel: number, shape: PageShape): ParsedPage {
  const kept = lines.filter((line) => line.words.length > 0 && confidence(line) >= LEAST_CONFIDENCE)
  const heights = kept.flatMap((line) => line.words.map(() => line.height)).toSorted((a, b) => a - b)
  const usual = heights[Math.floor(heights.length / 2)] ?? 0
  const isRule = ruleTest(kept)
  const runs = kept.flatMap((line): TextRun[] => {
    const height = Math.abs(line.height - usual) <= SAME_HEIGHT * usual ? usual : line.height
    return line.words
      .filter((word) => word.text.trim() !== '' && !isRule(word))
      .map((word) => ({
        // In a sentence there are no bars: the letter is taken for one.
        text: word.text.trim().replace(/^\|(?=$|['’](?:m|d|ll|ve)\b)/, 'I'),
        x0: word.x0 * pointsPerPixel,
        x1: word.x1 * pointsPerPixel,
        baseline: line.baseline * pointsPerPixel,
        size: Math.max(1, height * SIZE_PER_HEIGHT * pointsPerPixel),
        bold: false,
        mono: false,
      }))
  })
  const rows = toRows(runs)
  const bodySize = bodySizeOf(rows)
  return { ...shape, blocks: readingOrder(rows).flatMap((region) => toBlocks(region, bodySize)), ocr: true }
}

/** Bars below one another are the rules of a table, and no text. */
function ruleTest(lines: readonly RecognizedLine[]): (word: RecognizedWord) => boolean {
  const bars = lines.flatMap((line) => line.words.filter(({ text }) => text.trim() === '|'))
  return (word) =>
    word.text.trim() === '|' && bars.filter((bar) => Math.abs(bar.x0 - word.x0) <= SAME_RULE_PX).length >= LEAST_BARS
}

function confidence({ words }: RecognizedLine): number {
  return words.reduce((sum, word) => sum + word.confidence, 0) / words.length
}
