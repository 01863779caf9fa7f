import type { DocumentType } from './document-type.ts'
import type { ParseLimits } from './limits.ts'
import type { ParsedPage } from './parsed-page.ts'
import type { ParseOutcome } from './parse-ports.ts'

export interface ReaderInput {
  readonly bytes: Uint8Array
  readonly type: DocumentType
  readonly name: string
  /** First page wanted. */
  readonly from: number
  readonly limits: ParseLimits
}

export interface Picture {
  /** PNG, JPEG or WebP. */
  readonly png: Uint8Array
  readonly pointsPerPixel: number
}

export interface PageShape {
  readonly number: number
  readonly width: number
  readonly height: number
}

export interface ReaderPorts {
  /** A sign of progress, and which page an error is about. */
  readonly beginPage: (number: number) => void
  readonly page: (page: ParsedPage, of: number | null) => Promise<void>
  /** Text in a picture of a page. */
  readonly recognize: (picture: Picture, shape: PageShape) => Promise<ParsedPage>
}

/** One for each format. Runs in a parsing process; what it throws is an error of the document. */
export type Reader = (input: ReaderInput, ports: ReaderPorts) => Promise<ParseOutcome>
