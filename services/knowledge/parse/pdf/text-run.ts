import type { Box } from '../parsed-page.ts'

/** A piece of text in one font on one baseline, upright, in points from the top left of the page. */
export interface TextRun {
  readonly text: string
  readonly x0: number
  readonly x1: number
  readonly baseline: number
  readonly size: number
  readonly bold: boolean
  readonly mono: boolean
}

/** Of what pdf.js calls a text item. */
export interface PdfTextItem {
  readonly str: string
  readonly width: number
  readonly transform: readonly number[]
  readonly fontName: string
}

export interface FontStyle {
  readonly bold: boolean
  readonly mono: boolean
}

export interface PageRuns {
  readonly upright: readonly TextRun[]
  /** Text that stands on its side or aslant (axis labels, stamps): read, but without a place in the reading order. */
  readonly turned: readonly string[]
}

const PLAIN: FontStyle = { bold: false, mono: false }
/** A turn below this is a scanner's, not an author's. */
const UPRIGHT_RADIANS = 0.09
/** Ascent of most faces as a share of their size: boxes of lines need no better. */
export const ASCENT = 0.8
export const DESCENT = 0.22
/** Smaller type is not meant to be read by people, and what only machines read is no part of the document. */
const LEAST_SIZE = 2
/** Blanks in one item that stand for a gap between columns. */
const GAP = /\s{3,}/g

export function readRuns(
  items: readonly PdfTextItem[],
  fonts: ReadonlyMap<string, FontStyle>,
  /** Page space to points from the top left: the viewport's matrix at scale 1. */
  matrix: readonly number[],
): PageRuns {
  const upright: TextRun[] = []
  const turned: string[] = []
  for (const { str, width, transform, fontName } of items) {
    if (str.trim() === '') continue
    const [a, b, c, d, e, f] = multiply(matrix, transform)
    if (Math.abs(Math.atan2(-b, a)) > UPRIGHT_RADIANS) {
      turned.push(str.trim())
      continue
    }
    const size = Math.hypot(c, d)
    if (!(size >= LEAST_SIZE) || !Number.isFinite(e) || !Number.isFinite(f)) continue
    const style = fonts.get(fontName) ?? PLAIN
    for (const piece of pieces(str)) {
      upright.push({
        text: piece.text,
        x0: e + (width * piece.from) / str.length,
        x1: e + (width * piece.to) / str.length,
        baseline: f,
        size,
        ...style,
      })
    }
  }
  return { upright, turned }
}

/** The text without blanks at its ends, cut at gaps; where in it each piece stands is told by its share of characters. */
function pieces(str: string): { text: string; from: number; to: number }[] {
  const found: { text: string; from: number; to: number }[] = []
  let from = str.length - str.trimStart().length
  const end = str.trimEnd().length
  for (const gap of str.slice(0, end).matchAll(GAP)) {
    if (gap.index < from) continue
    found.push({ text: str.slice(from, gap.index), from, to: gap.index })
    from = gap.index + gap[0].length
  }
  found.push({ text: str.slice(from, end), from, to: end })
  return found
}

type Matrix = readonly [number, number, number, number, number, number]

function multiply(m: readonly number[], n: readonly number[]): Matrix {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = m
  const [p = 1, q = 0, r = 0, s = 1, t = 0, u = 0] = n
  return [a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f]
}

export function union(boxes: readonly Box[]): Box {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const box of boxes) {
    x0 = Math.min(x0, box[0])
    y0 = Math.min(y0, box[1])
    x1 = Math.max(x1, box[2])
    y1 = Math.max(y1, box[3])
  }
  return [round(x0), round(y0), round(x1), round(y1)]
}

function round(points: number): number {
  return Math.round(points * 10) / 10
}
