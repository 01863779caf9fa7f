/** What the service and a parsing process say to each other. One document at a time. */
import type { WireError } from '#shared/errors/waggle-error.ts'

import type { RecognizedLine } from '../ocr/recognizer.ts'
import type { ParsedPage } from './parsed-page.ts'
import type { ParseOutcome } from './parse-ports.ts'
import type { ReaderInput } from './reader.ts'

export type ToProcess =
  | { readonly type: 'read'; readonly input: ReaderInput }
  /** A page was taken: the next but one may be read. */
  | { readonly type: 'taken' }
  | { readonly type: 'recognized'; readonly lines: readonly RecognizedLine[] }
  | { readonly type: 'unrecognized'; readonly error: WireError }

export type FromProcess =
  /** Loaded, and waiting for a document. */
  | { readonly type: 'ready' }
  | { readonly type: 'began'; readonly page: number }
  | { readonly type: 'page'; readonly page: ParsedPage; readonly of: number | null }
  | { readonly type: 'recognize'; readonly picture: Uint8Array }
  | { readonly type: 'done'; readonly outcome: ParseOutcome }
  | { readonly type: 'failed'; readonly error: WireError }

/** Pages a process may be ahead of who takes them. */
export const PAGES_AHEAD = 8
