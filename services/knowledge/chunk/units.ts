import { SEPARATOR } from '../parse/canonical-text.ts'
import type { Block, ParsedPage } from '../parse/parsed-page.ts'

/** A block with its place in the canonical text and in the document. */
export interface Unit {
  readonly block: Block
  readonly page: number
  /** Where the page has no geometry and is one of several: a slide, a sheet, a part of a video. */
  readonly flat: boolean
  readonly start: number
  readonly end: number
  /** Titles of the sections it stands in, its own with them, outermost first. */
  readonly path: readonly string[]
}

/** Blocks in order. A heading opens a section that lasts until the next of its level or above. */
export function toUnits(pages: readonly ParsedPage[]): Unit[] {
  const units: Unit[] = []
  let open: { level: number; text: string }[] = []
  let path: readonly string[] = []
  let pageStart = 0
  for (const page of pages) {
    const flat = page.width === 0 && pages.length > 1
    // What stands on a slide or sheet belongs to no heading of the one before.
    if (flat) [open, path] = [[], []]
    let start = pageStart
    for (const block of page.blocks) {
      if (block.kind === 'heading') {
        open = [...open.filter(({ level }) => level < block.level), { level: block.level, text: block.text }]
        path = open.map(({ text }) => text)
      }
      units.push({ block, page: page.number, flat, start, end: start + block.text.length, path })
      start += block.text.length + SEPARATOR.length
    }
    const length = page.blocks.length === 0 ? 0 : start - SEPARATOR.length - pageStart
    pageStart += length + SEPARATOR.length
  }
  return units
}
