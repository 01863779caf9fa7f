import { WaggleError } from '#shared/errors/waggle-error.ts'

import { openArchive } from '../archive/open-archive.ts'
import type { Archive } from '../archive/open-archive.ts'
import { readXml } from '../archive/read-xml.ts'
import { relationsOf } from '../archive/relations.ts'
import { block } from '../block.ts'
import { filled, flatPage } from '../one-page.ts'
import type { Block } from '../parsed-page.ts'
import type { Reader } from '../reader.ts'
import { coreProperties } from './read-docx.ts'
import { slideBlocks, slideParagraphs } from './slide-blocks.ts'

const PRESENTATION = 'ppt/presentation.xml'

/** A page for each slide, in the order they are shown: title, text, tables, then what the speaker is to say. */
export const readPptx: Reader = async ({ bytes, from, limits }, ports) => {
  const archive = openArchive(bytes, limits, (name) => /\.(?:xml|rels)$/.test(name))
  const slides = slidesOf(archive)
  if (slides.length > limits.pages) {
    throw new WaggleError('DOCUMENT_TOO_LARGE', { reason: `It has ${slides.length} slides; ${limits.pages} are read.` })
  }
  let first = ''
  for (const [at, part] of slides.entries()) {
    ports.beginPage(at + 1)
    if (at + 1 < from && at > 0) continue
    const content = archive.get(part)
    const blocks = content === undefined ? [] : slideBlocks(content)
    if (at === 0) first = blocks.find(({ kind }) => kind === 'heading')?.text ?? ''
    if (at + 1 >= from) await flatPage(ports, at + 1, slides.length, [...blocks, ...notesOf(archive, part)])
  }
  const { title = '', ...metadata } = coreProperties(archive)
  return { pages: slides.length, title: title || first, metadata: filled(metadata) }
}

function slidesOf(archive: Archive): string[] {
  const bytes = archive.get(PRESENTATION)
  if (bytes === undefined)
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 0, reason: `It has no ${PRESENTATION}.` })
  const parts = new Map(relationsOf(archive, PRESENTATION).map(({ id, target }) => [id, target]))
  const slides: string[] = []
  readXml(bytes, {
    open({ name, attributes }) {
      if (name !== 'sldId') return
      const part = parts.get(attributes['r:id'] ?? '')
      if (part !== undefined) slides.push(part)
    },
  })
  return slides
}

function notesOf(archive: Archive, slide: string): Block[] {
  const part = relationsOf(archive, slide).find(({ type }) => type === 'notesSlide')?.target
  const bytes = part === undefined ? undefined : archive.get(part)
  if (bytes === undefined) return []
  const text = slideParagraphs(bytes, new Set(['body']))
    .map(({ text: paragraph }) => paragraph)
    .join('\n')
  const made = text === '' ? null : block('paragraph', `Notes: ${text}`)
  return made === null ? [] : [made]
}
