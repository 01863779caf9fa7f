import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { DocumentType } from './document-type.ts'
import { markQuestions } from './mark-questions.ts'
import type { Block } from './parsed-page.ts'
import type { Reader } from './reader.ts'

/** Loaded when a document needs them: all libraries together take longer to load than most documents to read. */
const READERS: Readonly<Record<Exclude<DocumentType, 'video'>, () => Promise<Reader>>> = {
  pdf: async () => (await import('./pdf/read-pdf.ts')).readPdf,
  docx: async () => (await import('./office/read-docx.ts')).readDocx,
  xlsx: async () => (await import('./office/read-xlsx.ts')).readXlsx,
  pptx: async () => (await import('./office/read-pptx.ts')).readPptx,
  html: async () => (await import('./web/read-html.ts')).readHtml,
  markdown: async () => (await import('./text/read-markdown.ts')).readMarkdown,
  text: async () => (await import('./text/read-text.ts')).readText,
  csv: async () => (await import('./text/read-csv.ts')).readCsv,
  email: async () => (await import('./text/read-email.ts')).readEmail,
  json: async () => (await import('./text/read-json.ts')).readJson,
  jsonl: async () => (await import('./text/read-json.ts')).readJson,
  image: async () => (await import('./image/read-image.ts')).readImage,
}

/** Any format but video, by its reader; what it hands on is fit to be stored. */
export const readDocument: Reader = async (input, ports) => {
  if (input.type === 'video') throw new WaggleError('DOCUMENT_TYPE', { reason: 'A video has no reader of bytes.' })
  let chars = 0
  const read = await READERS[input.type]()
  const outcome = await read(input, {
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
