import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { DocumentType } from './document-type.ts'
import { readImage } from './image/read-image.ts'
import { markQuestions } from './mark-questions.ts'
import { readDocx } from './office/read-docx.ts'
import { readPptx } from './office/read-pptx.ts'
import { readXlsx } from './office/read-xlsx.ts'
import type { Block } from './parsed-page.ts'
import { readPdf } from './pdf/read-pdf.ts'
import type { Reader } from './reader.ts'
import { readCsv } from './text/read-csv.ts'
import { readEmail } from './text/read-email.ts'
import { readJson } from './text/read-json.ts'
import { readMarkdown } from './text/read-markdown.ts'
import { readText } from './text/read-text.ts'
import { readHtml } from './web/read-html.ts'

const READERS: Readonly<Record<Exclude<DocumentType, 'video'>, Reader>> = {
  pdf: readPdf,
  docx: readDocx,
  xlsx: readXlsx,
  pptx: readPptx,
  html: readHtml,
  markdown: readMarkdown,
  text: readText,
  csv: readCsv,
  email: readEmail,
  json: readJson,
  jsonl: readJson,
  image: readImage,
}

/** Any format but video, by its reader; what it hands on is fit to be stored. */
export const readDocument: Reader = async (input, ports) => {
  if (input.type === 'video') throw new WaggleError('DOCUMENT_TYPE', { reason: 'A video has no reader of bytes.' })
  let chars = 0
  const outcome = await READERS[input.type](input, {
    ...ports,
    page: async (page, of) => {
      for (const { text } of page.blocks) chars += text.length
      if (chars > input.limits.chars) {
        throw new WaggleError('DOCUMENT_TOO_LARGE', { page: page.number, reason: 'It holds too much text.' })
      }
      // A format without pages is read as a whole: its one page may be done.
      if (page.number >= input.from) await ports.page({ ...page, blocks: markQuestions(page.blocks.map(storable)) }, of)
    },
  })
  return { ...outcome, title: clean(outcome.title) || stem(input.name) }
}

/** No half of a character pair and no zero: a database refuses both. Every character keeps its place. */
function storable(one: Block): Block {
  return { ...one, text: clean(one.text), header: clean(one.header) }
}

function clean(text: string): string {
  return text.toWellFormed().replaceAll('\0', ' ')
}

function stem(name: string): string {
  return name.replace(/^.*[/\\]/, '').replace(/\.[a-z0-9]{1,8}$/i, '')
}
