import type { RunContext } from '#shared/actor/definition.ts'
import { Guardrail } from '#shared/contracts/guardrail.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { Block, Box, ParsedPage } from '../parse/parsed-page.ts'

/** Each block passes the tenant's guardrails before it is stored: masked where they mask, and the document refused where they block. */
export async function guardPage(ctx: RunContext, page: ParsedPage): Promise<ParsedPage> {
  const blocks: Block[] = []
  for (const block of page.blocks) {
    const [text, header] = await Promise.all(
      [block.text, block.header].map((part) => guardText(ctx, part, page.number)),
    )
    if (text === '') continue
    // Lines of a text that was changed are not where they were: the block keeps its place as a whole.
    const lines = text === block.text ? block.lines : wholeOf(block, text!)
    blocks.push({ ...block, text: text!, header: header!, lines })
  }
  return { ...page, blocks }
}

/** Text of a document as the tenant's guardrails leave it. `page` says where it stands, null for what is of the whole. */
export async function guardText(ctx: RunContext, text: string, page: number | null): Promise<string> {
  if (text === '') return text
  const asked = { stage: 'tool_result', agent: '', tool: null, said: [], piece: false } as const
  const verdict = await ctx.reach.pool(Guardrail, 'tool-result').ask('check', { ...asked, text })
  switch (verdict.verdict) {
    case 'block':
      throw refuse('DOCUMENT_UNREADABLE', { page, reason: `A guardrail refused it: ${verdict.reason}` })
    case 'rewrite':
      return verdict.text.trim()
    case 'pass':
      return text
  }
}

function wholeOf({ lines }: Block, text: string): Block['lines'] {
  if (lines.length === 0) return []
  const box = lines
    .map((line) => line.box)
    .reduce((a, b): Box => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])])
  return [{ start: 0, end: text.length, box }]
}
