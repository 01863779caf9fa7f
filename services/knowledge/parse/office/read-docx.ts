import { zipSync } from 'fflate'
import mammoth from 'mammoth'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { openArchive } from '../archive/open-archive.ts'
import { readXml } from '../archive/read-xml.ts'
import type { Archive } from '../archive/open-archive.ts'
import { firstHeading, onePage } from '../one-page.ts'
import type { Reader } from '../reader.ts'
import { htmlBlocks } from '../web/html-blocks.ts'
import { parseHtml } from '../web/parse-html.ts'

const CORE = 'docProps/core.xml'
/** Word's own names for what is a heading and mammoth does not know. */
const STYLES = [
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='Subtitle'] => h2:fresh",
  "p[style-name='Caption'] => figcaption:fresh",
]

/**
 * Word by mammoth, which knows what styles mean. It is given an archive we packed ourselves, of entries that passed the
 * limits and without media, and it may read no file that the document links to.
 */
export const readDocx: Reader = async ({ bytes, limits }, ports) => {
  const archive = openArchive(bytes, limits, (name) => /\.(?:xml|rels)$/.test(name))
  if (!archive.has('word/document.xml')) {
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 0, reason: 'It has no word/document.xml.' })
  }
  const html = await toHtml(archive)
  const body = parseHtml(html).body
  const blocks = body === null ? [] : htmlBlocks(body)
  const { title = '', ...metadata } = coreProperties(archive)
  return onePage(ports, blocks, title || firstHeading(blocks), metadata)
}

async function toHtml(archive: Archive): Promise<string> {
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer: Buffer.from(zipSync(Object.fromEntries(archive), { level: 0 })) },
      {
        styleMap: STYLES,
        externalFileAccess: false,
        ignoreEmptyParagraphs: true,
        // Pictures are not read: their text alternative stays.
        convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })),
      },
    )
    return value
  } catch (thrown) {
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 0, reason: coerceError(thrown).message }, { cause: thrown })
  }
}

/** Title, author and dates, as every Office format keeps them. */
export function coreProperties(archive: Archive): Record<string, string> {
  const bytes = archive.get(CORE)
  if (bytes === undefined) return {}
  const names: Record<string, string> = {
    title: 'title',
    creator: 'author',
    subject: 'subject',
    keywords: 'keywords',
    created: 'created',
    modified: 'changed',
  }
  const found: Record<string, string> = {}
  let field: string | undefined
  readXml(bytes, {
    open: ({ name }) => (field = names[name]),
    close: () => (field = undefined),
    text: (text) => {
      if (field !== undefined && text.trim() !== '') found[field] = `${found[field] ?? ''}${text}`.trim()
    },
  })
  return found
}
