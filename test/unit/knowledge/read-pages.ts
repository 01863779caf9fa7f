import { DEFAULT_LIMITS } from '#services/knowledge/parse/limits.ts'
import type { ParseLimits } from '#services/knowledge/parse/limits.ts'
import type { ParsedPage } from '#services/knowledge/parse/parsed-page.ts'
import type { ParseOutcome } from '#services/knowledge/parse/parse-ports.ts'
import { readDocument } from '#services/knowledge/parse/read-document.ts'
import { sniff } from '#services/knowledge/parse/sniff.ts'

export interface ReadPages extends ParseOutcome {
  readonly read: readonly ParsedPage[]
}

/** Reads a document in this thread, as the parsing threads do. Pictures are not recognised. */
export async function readPages(
  content: Uint8Array | string,
  name: string,
  { from = 1, limits = {} }: { readonly from?: number; readonly limits?: Partial<ParseLimits> } = {},
): Promise<ReadPages> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const read: ParsedPage[] = []
  const outcome = await readDocument(
    // pdf.js takes the bytes it is given for its own.
    { bytes: bytes.slice(), type: sniff(bytes, name, ''), name, from, limits: { ...DEFAULT_LIMITS, ...limits } },
    {
      beginPage: () => undefined,
      page: async (page) => void read.push(page),
      recognize: async () => Promise.reject(new Error('nothing is recognised here')),
    },
  )
  return { ...outcome, read }
}

/** "kind: text" of each block. */
export function outline({ read }: ReadPages): string[] {
  return read.flatMap((page) => page.blocks.map(({ kind, level, text }) => `${kind}${level > 0 ? level : ''}: ${text}`))
}
