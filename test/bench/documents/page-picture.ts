import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

import { GlobalFonts, createCanvas } from '@napi-rs/canvas'

import { seededRandom } from '#shared/lib/random.ts'

import { prose } from './make-pdf.ts'

const FAMILY = 'Liberation Sans of pdf.js'
const INCHES = { width: 8.5, height: 11 }
const POINTS = 11
const POINTS_PER_INCH = 72

export interface PagePicture {
  readonly png: Uint8Array
  readonly text: string
}

/** A clean letter page of so many lines of prose in 11 points, black on white, as a scanner would deliver it. */
export function pagePicture({ dpi, seed, lines }: { dpi: number; seed: number; lines: number }): PagePicture {
  if (!GlobalFonts.has(FAMILY)) {
    const home = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'))
    GlobalFonts.registerFromPath(join(home, 'standard_fonts', 'LiberationSans-Regular.ttf'), FAMILY)
  }
  const canvas = createCanvas(Math.round(INCHES.width * dpi), Math.round(INCHES.height * dpi))
  const context = canvas.getContext('2d')
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = '#000000'
  context.font = `${(POINTS * dpi) / POINTS_PER_INCH}px "${FAMILY}"`
  const words = prose(seededRandom(seed), lines * 2).split(' ')
  const said: string[] = []
  for (let line = 0; line < lines; line += 1) {
    let text = ''
    for (let next = words[0]; next !== undefined; next = words[0]) {
      const longer = text === '' ? next : `${text} ${next}`
      if (context.measureText(longer).width > (INCHES.width - 2) * dpi) break
      text = longer
      words.shift()
    }
    context.fillText(text, dpi, dpi + (line * POINTS * 1.5 * dpi) / POINTS_PER_INCH)
    said.push(text)
  }
  // A copy, for a slice of a Buffer is no copy.
  return { png: new Uint8Array(canvas.toBuffer('image/png')), text: said.join(' ') }
}

/** Share of the words that were read, each as often as it was said (the longest common subsequence would be kinder to order). */
export function wordAccuracy(said: string, read: string): number {
  const counts = new Map<string, number>()
  for (const word of read.split(/\s+/)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const words = said.split(/\s+/)
  let right = 0
  for (const word of words) {
    const left = counts.get(word) ?? 0
    if (left === 0) continue
    right += 1
    counts.set(word, left - 1)
  }
  return right / words.length
}
