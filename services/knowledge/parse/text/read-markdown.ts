import { Lexer } from 'marked'
import type { Token, Tokens } from 'marked'

import { block, tableBlocks } from '../block.ts'
import { firstHeading, filled, onePage } from '../one-page.ts'
import type { Block } from '../parsed-page.ts'
import type { Reader } from '../reader.ts'
import { htmlBlocks } from '../web/html-blocks.ts'
import { parseHtml } from '../web/parse-html.ts'
import { decodeText } from './decode-text.ts'

const FRONT_MATTER = /^---\n([\s\S]*?)\n---(?:\n|$)/

/** Blocks of a Markdown text; their text is the source as it was written, with its inline marks. */
export function markdownBlocks(source: string): Block[] {
  return new Lexer({ gfm: true })
    .lex(source)
    .flatMap(tokenBlocks)
    .filter((one) => one !== null)
}

function tokenBlocks(token: Token): (Block | null)[] {
  switch (token.type) {
    case 'heading': {
      const { depth, text } = token as Tokens.Heading
      return [block('heading', text, depth)]
    }
    case 'list':
      return [block('list', token.raw)]
    case 'code':
      return [block('code', (token as Tokens.Code).text)]
    case 'table': {
      const { header, rows } = token as Tokens.Table
      const cells = [header, ...rows].map((row) => row.map(({ text }) => text))
      return tableBlocks(cells, cells[0])
    }
    case 'blockquote':
      return (token as Tokens.Blockquote).tokens.flatMap(tokenBlocks)
    case 'html': {
      const body = parseHtml(token.raw).body
      return body === null ? [] : htmlBlocks(body)
    }
    case 'space':
    case 'hr':
    case 'def':
      return []
    default:
      return [block('paragraph', token.raw)]
  }
}

export const readMarkdown: Reader = async ({ bytes }, ports) => {
  const source = decodeText(bytes)
  const front = FRONT_MATTER.exec(source)
  const blocks = markdownBlocks(front === null ? source : source.slice(front[0].length))
  const fields = frontMatter(front?.[1] ?? '')
  const { title = '', ...metadata } = fields
  return onePage(ports, blocks, title || firstHeading(blocks), filled(metadata))
}

/** Single-line fields only: what else it holds is for the tool that wrote it. */
function frontMatter(text: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(
    /^(title|author|description|date|tags|language):[ \t]*(.+)$/gm,
  )) {
    fields[name] = value.trim().replace(/^(["'])(.*)\1$/, '$2')
  }
  return fields
}
