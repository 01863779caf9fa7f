import type { Block } from './parsed-page.ts'
import type { ParseOutcome } from './parse-ports.ts'
import type { ReaderPorts } from './reader.ts'

/** A format without pages is one page. */
export async function onePage(
  ports: ReaderPorts,
  blocks: readonly Block[],
  title: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<ParseOutcome> {
  await flatPage(ports, 1, 1, blocks)
  return { pages: 1, title, metadata: filled(metadata) }
}

/** A page without geometry: a slide, a sheet. */
export async function flatPage(
  ports: ReaderPorts,
  number: number,
  of: number | null,
  blocks: readonly Block[],
): Promise<void> {
  ports.beginPage(number)
  await ports.page({ number, width: 0, height: 0, blocks, ocr: false }, of)
}

export function filled(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== ''))
}

export function firstHeading(blocks: readonly Block[]): string {
  return blocks.find(({ kind }) => kind === 'heading')?.text ?? ''
}
