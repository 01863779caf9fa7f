import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import type { ParseLimits } from '../limits.ts'
import type { FontStyle, PdfTextItem } from './text-run.ts'

/** What we use of pdf.js, whose own types want a browser's. */
export interface PdfDocument {
  readonly numPages: number
  getPage(number: number): Promise<PdfPage>
  getMetadata(): Promise<{ readonly info: Readonly<Record<string, unknown>> }>
}

export interface PdfPage {
  readonly view: readonly number[]
  readonly commonObjs: {
    has(id: string): boolean
    get(id: string): { readonly name?: string; readonly isMonospace?: boolean }
  }
  getViewport(options: { scale: number }): { width: number; height: number; transform: readonly number[] }
  getTextContent(): Promise<{
    readonly items: readonly Partial<PdfTextItem>[]
    readonly styles: Readonly<Record<string, unknown>>
  }>
  getOperatorList(): Promise<{ readonly fnArray: readonly number[] }>
  render(options: Record<string, unknown>): { readonly promise: Promise<void> }
  cleanup(): boolean
}

export interface OpenPdf {
  readonly document: PdfDocument
  /** Whether these operators paint a picture. */
  readonly paintsPicture: (operators: readonly number[]) => boolean
  close(): Promise<void>
}

const VERBOSITY_ERRORS = 0

/** Nothing is fetched: fonts, character maps and decoders are files of the package. */
export async function openPdf(bytes: Uint8Array, limits: ParseLimits): Promise<OpenPdf> {
  const { getDocument, OPS } = await import('pdfjs-dist/legacy/build/pdf.mjs')
  const home = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'))
  const folder = (name: string): string => `${join(home, name)}${sep}`
  const task = getDocument({
    data: bytes,
    standardFontDataUrl: folder('standard_fonts'),
    cMapUrl: folder('cmaps'),
    cMapPacked: true,
    wasmUrl: folder('wasm'),
    iccUrl: folder('iccs'),
    verbosity: VERBOSITY_ERRORS,
    disableFontFace: true,
    useSystemFonts: false,
    // Names of fonts, which tell bold from regular.
    fontExtraProperties: true,
    maxImageSize: limits.pixels,
    stopAtErrors: false,
    enableXfa: false,
  })
  const close = (): Promise<void> => task.destroy()
  try {
    const document = (await task.promise) as unknown as PdfDocument
    const pictures = new Set<number>([
      OPS.paintImageXObject,
      OPS.paintInlineImageXObject,
      OPS.paintImageMaskXObject,
      OPS.paintImageXObjectRepeat,
      OPS.paintInlineImageXObjectGroup,
    ])
    return { document, close, paintsPicture: (operators) => operators.some((operator) => pictures.has(operator)) }
  } catch (thrown) {
    await close()
    throw unreadable(thrown, 0)
  }
}

export function unreadable(thrown: unknown, page: number): WaggleError {
  if (thrown instanceof WaggleError) return thrown
  const error = coerceError(thrown)
  const reason = error.name === 'PasswordException' ? 'It is protected by a password.' : error.message
  return new WaggleError('DOCUMENT_UNREADABLE', { page, reason }, { cause: error })
}

/**
 * Weights of a page's fonts. pdf.js tells names only after it has read how the page is painted, which costs as much as its
 * text, so it is asked only where a font is new; most documents have all of theirs on the first pages.
 */
export async function learnFonts(page: PdfPage, ids: Iterable<string>, known: Map<string, FontStyle>): Promise<void> {
  const fresh = [...ids].filter((id) => !known.has(id))
  if (fresh.length === 0) return
  await page.getOperatorList()
  for (const id of fresh) {
    const font = page.commonObjs.has(id) ? page.commonObjs.get(id) : null
    const name = font?.name ?? ''
    known.set(id, {
      bold: /bold|black|heavy|semibold|demi/i.test(name),
      mono: font?.isMonospace === true || /mono|courier|consol|menlo/i.test(name),
    })
  }
}
