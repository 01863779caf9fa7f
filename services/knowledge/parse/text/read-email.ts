import { simpleParser } from 'mailparser'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { block } from '../block.ts'
import { onePage } from '../one-page.ts'
import type { Block } from '../parsed-page.ts'
import type { Reader } from '../reader.ts'
import { htmlBlocks } from '../web/html-blocks.ts'
import { parseHtml } from '../web/parse-html.ts'
import { textBlocks } from './read-text.ts'

/** What we use of a parsed message. */
interface Message {
  readonly subject?: string
  readonly date?: Date
  readonly from?: { readonly text: string }
  readonly to?: { readonly text: string } | readonly { readonly text: string }[]
  readonly cc?: { readonly text: string } | readonly { readonly text: string }[]
  readonly text?: string
  readonly html?: string | false
  readonly attachments: readonly { readonly filename?: string; readonly contentType: string; readonly size: number }[]
}

const MAX_HTML_CHARS = 5_000_000
const QUOTE_INTRO =
  /^(?:On .{5,200} wrote:|Am .{5,200} schrieb.{0,100}:|Le .{5,200} a écrit\s*:|-{2,}\s*(?:Original|Forwarded) [Mm]essage\s*-{2,})\s*$/
/** Outlook's way to quote. */
const HEADER_BLOCK = /^From:\s.+\n(?:Sent|Date):\s/

/** Who, when and about what; what is new in it; what it quotes, apart, under its own heading; names of attachments. */
export const readEmail: Reader = async ({ bytes }, ports) => {
  const message = await parsed(bytes)
  const subject = message.subject?.trim() ?? ''
  const head = headers(message)
  const { own, quoted } = bodyOf(message)
  const blocks: (Block | null)[] = [
    block('heading', subject, 1),
    block(
      'paragraph',
      Object.entries(head)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
    ),
    ...own,
  ]
  if (quoted.length > 0) blocks.push(block('heading', 'Quoted message', 2), ...quoted)
  if (message.attachments.length > 0) {
    const names = message.attachments.map(
      ({ filename, contentType, size }) => `- ${filename ?? 'without a name'} (${contentType}, ${size} bytes)`,
    )
    blocks.push(block('heading', 'Attachments', 2), block('list', names.join('\n')))
  }
  const { From: from = '', To: to = '', Date: date = '' } = head
  return onePage(
    ports,
    blocks.filter((one) => one !== null),
    subject,
    { from, to, date },
  )
}

async function parsed(bytes: Uint8Array): Promise<Message> {
  try {
    // `skipHtmlToText` because we read HTML ourselves; links of pictures are not followed.
    const options = {
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipImageLinks: true,
      maxHtmlLengthToParse: MAX_HTML_CHARS,
    }
    return (await simpleParser(Buffer.from(bytes), options)) as Message
  } catch (thrown) {
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 1, reason: coerceError(thrown).message }, { cause: thrown })
  }
}

function headers({ from, to, cc, date }: Message): Record<string, string> {
  const names = (field: Message['to']): string => {
    if (field === undefined) return ''
    return (Array.isArray(field) ? field : [field]).map((one: { text: string }) => one.text).join(', ')
  }
  const all = {
    From: from?.text ?? '',
    To: names(to),
    Cc: names(cc),
    Date: date === undefined || Number.isNaN(date.getTime()) ? '' : date.toISOString(),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

function bodyOf({ text, html }: Message): { own: Block[]; quoted: Block[] } {
  if (text !== undefined && text.trim() !== '') {
    const { own, quoted } = splitQuoted(text)
    return { own: textBlocks(own), quoted: textBlocks(quoted) }
  }
  const body = typeof html === 'string' ? parseHtml(html).body : null
  if (body === null) return { own: [], quoted: [] }
  const quotes = [...body.querySelectorAll('blockquote, .gmail_quote, #divRplyFwdMsg')]
  const outer = quotes.filter(
    (quote) => !quotes.some((other) => other !== quote && [...other.querySelectorAll('*')].includes(quote)),
  )
  const quoted = outer.flatMap((quote) => htmlBlocks(quote))
  for (const quote of outer) quote.remove()
  return { own: htmlBlocks(body), quoted }
}

/** Lines that begin with ">", and all after the line that introduces a quotation at the end. */
export function splitQuoted(text: string): { own: string; quoted: string } {
  const own: string[] = []
  const quoted: string[] = []
  const lines = text.replaceAll(/\r\n?/g, '\n').split('\n')
  let rest = false
  for (const [at, line] of lines.entries()) {
    const following = lines.slice(at, at + 2).join('\n')
    const next = lines.slice(at + 1).find((later) => later.trim() !== '') ?? ''
    const introduces = QUOTE_INTRO.test(line.trim())
    if (HEADER_BLOCK.test(following) || (introduces && !next.startsWith('>'))) rest = true
    if (rest || introduces) quoted.push(line)
    else if (line.startsWith('>')) quoted.push(line.replace(/^(?:>\s?)+/, ''))
    else own.push(line)
  }
  return { own: own.join('\n').trim(), quoted: quoted.join('\n').trim() }
}
