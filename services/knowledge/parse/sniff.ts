/**
 * What a document is, from its bytes. What a sender says it is (media type, ending of the name) only chooses between texts,
 * which bytes cannot tell apart; a claim that the bytes contradict is refused, so that nothing is read by a reader that a
 * filter before us did not expect.
 */
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { entryNames } from './archive/entry-names.ts'
import type { DocumentType } from './document-type.ts'
import { decodeText } from './text/decode-text.ts'

const LOOKED_AT = 4_096
const PDF_WITHIN = 1_024

const MIMES: Readonly<Record<string, DocumentType>> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'text/markdown': 'markdown',
  'text/x-markdown': 'markdown',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'message/rfc822': 'email',
  'application/json': 'json',
  'application/jsonl': 'jsonl',
  'application/x-ndjson': 'jsonl',
}

const ENDINGS: Readonly<Record<string, DocumentType>> = {
  pdf: 'pdf',
  docx: 'docx',
  xlsx: 'xlsx',
  pptx: 'pptx',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  md: 'markdown',
  markdown: 'markdown',
  txt: 'text',
  text: 'text',
  csv: 'csv',
  tsv: 'csv',
  eml: 'email',
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  png: 'image',
  jpg: 'image',
  jpeg: 'image',
  webp: 'image',
  mp4: 'video',
  m4v: 'video',
  mov: 'video',
  webm: 'video',
  mkv: 'video',
  avi: 'video',
}

const TEXTS: ReadonlySet<DocumentType> = new Set(['html', 'markdown', 'text', 'csv', 'email', 'json', 'jsonl'])

export function sniff(bytes: Uint8Array, name: string, claimed: string): DocumentType {
  if (bytes.length === 0) throw refused('It is empty.')
  const byMime = typeOfMime(claimed)
  const byName = ENDINGS[/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '']
  const binary = binaryType(bytes)
  if (binary !== null) {
    for (const claim of [byMime, byName]) {
      if (claim !== undefined && claim !== binary) throw refused(`It is said to be ${claim}, and is ${binary}.`)
    }
    return binary
  }
  const text = decodeText(bytes.subarray(0, LOOKED_AT))
  if (!isText(bytes, text)) throw refused('Its bytes are of no type that is read here.')
  for (const claim of [byMime, byName]) {
    if (claim !== undefined && !TEXTS.has(claim)) throw refused(`It is said to be ${claim}, and is a text.`)
  }
  // A general "text/plain" says less than the ending does.
  const claim = byMime === undefined || byMime === 'text' ? (byName ?? byMime) : byMime
  const looks = textType(text)
  if (claim === undefined) return looks
  const contradicts =
    ((claim === 'json' || claim === 'jsonl') && !/^\s*[[{"\d-]|^\s*(?:true|false|null)\b/.test(text)) ||
    (claim === 'email' && !isEmail(text)) ||
    ((claim === 'csv' || claim === 'markdown') && looks === 'html' && /^\s*<!doctype html/i.test(text))
  if (contradicts) throw refused(`It is said to be ${claim}, and looks like ${looks}.`)
  return claim
}

function typeOfMime(claimed: string): DocumentType | undefined {
  const mime = claimed.split(';')[0]?.trim().toLowerCase() ?? ''
  if (Object.hasOwn(MIMES, mime)) return MIMES[mime]
  if (mime.startsWith('image/')) return 'image'
  if (mime.startsWith('video/')) return 'video'
  return mime === 'text/plain' ? 'text' : undefined
}

function binaryType(bytes: Uint8Array): DocumentType | null {
  const ascii = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to))
  const head = ascii(0, PDF_WITHIN)
  if (head.startsWith('PK\u0003\u0004')) return officeType(bytes)
  if (head.startsWith('\u0089PNG\r\n\u001a\n') || head.startsWith('\u00ff\u00d8\u00ff')) return 'image'
  if (head.startsWith('RIFF') && ascii(8, 12) === 'WEBP') return 'image'
  if (head.startsWith('RIFF') && ascii(8, 12) === 'AVI ') return 'video'
  if (head.startsWith('\u001a\u0045\u00df\u00a3')) return 'video'
  if (ascii(4, 8) === 'ftyp') {
    if (/^(?:heic|heix|mif1|msf1|avif|avis)/.test(ascii(8, 12))) throw refused('HEIC and AVIF pictures are not read.')
    return 'video'
  }
  if (/^(?:II\*\0|MM\0\*)/.test(head)) throw refused('TIFF pictures are not read.')
  if (head.startsWith('GIF8')) throw refused('GIF pictures are not read.')
  if (head.startsWith('\u00d0\u00cf\u0011\u00e0')) {
    throw refused('It is an Office document of the old formats, or one that is protected by a password.')
  }
  // Last, for a text may speak of PDF, but not begin with it.
  if (/^[\s\ufeff\u00ef\u00bb\u00bf]*%PDF-\d/.test(head)) return 'pdf'
  return /%PDF-\d\.\d[\r\n]/.test(head) && head.includes('\0') ? 'pdf' : null
}

function officeType(bytes: Uint8Array): DocumentType {
  const names = entryNames(bytes)
  if (names.has('word/document.xml')) return 'docx'
  if (names.has('xl/workbook.xml')) return 'xlsx'
  if (names.has('ppt/presentation.xml')) return 'pptx'
  throw refused('It is an archive, and not a document.')
}

/** Control characters that no text has, or zeros that are not those of UTF-16. */
function isText(bytes: Uint8Array, text: string): boolean {
  const control = text.match(/\p{Cc}/gu)?.filter((sign) => !/[\s\u0080-\u009f]/.test(sign)).length ?? 0
  const wide = text.length < bytes.subarray(0, LOOKED_AT).length * 0.75 && (bytes[0] === 0xff || bytes[0] === 0xfe)
  const zeros = bytes.subarray(0, LOOKED_AT).filter((byte) => byte === 0).length
  return control <= text.length / 200 && (zeros === 0 || wide || zeros > bytes.length / 4)
}

function textType(text: string): DocumentType {
  const start = text.trimStart()
  if (/^(?:<!doctype html|<\?xml[^>]*>\s*<!doctype html|<html[\s>]|<head[\s>]|<body[\s>])/i.test(start)) return 'html'
  if (isEmail(text)) return 'email'
  if (/^[[{]/.test(start)) {
    if (parses(start)) return 'json'
    const lines = start.split('\n').filter((line) => line.trim() !== '')
    if (lines.length > 1 && lines.slice(0, -1).every((line) => /^\s*[[{]/.test(line) && parses(line))) return 'jsonl'
    if (/^(?:\[\s*[[{"]|\{\s*"[^"\n]{0,200}"\s*:)/.test(start)) return 'json'
  }
  return 'text'
}

function isEmail(text: string): boolean {
  const fields =
    /^(?:[A-Za-z][\w-]{0,60}:[^\n]*\n(?:[ \t][^\n]*\n)*)+/.exec(text.replace(/^From [^\n]*\n/, ''))?.[0] ?? ''
  const names = new Set(Array.from(fields.matchAll(/^([\w-]+):/gm), ([, name]) => name?.toLowerCase()))
  const known = ['from', 'to', 'date', 'subject', 'message-id', 'received', 'mime-version'].filter((name) =>
    names.has(name),
  )
  return known.length >= 2 && (names.has('from') || names.has('received'))
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function refused(reason: string): WaggleError {
  return new WaggleError('DOCUMENT_TYPE', { reason })
}
