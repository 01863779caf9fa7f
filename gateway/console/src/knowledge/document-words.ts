import type { DocumentSummary } from '#shared/contracts/knowledge.ts'

type State = DocumentSummary['state']

/** It is being read, or will be. */
export function isOpen({ state }: Pick<DocumentSummary, 'state'>): boolean {
  return state !== 'ready' && state !== 'failed' && state !== 'cancelled'
}

export function stateInWords(state: State): string {
  switch (state) {
    case 'queued':
      return 'Waiting its turn'
    case 'fetching':
      return 'Fetching the address'
    case 'parsing':
      return 'Reading'
    case 'ocr':
      return 'Recognising text'
    case 'chunking':
      return 'Cutting into passages'
    case 'embedding':
      return 'Making it findable'
    case 'ready':
      return 'Ready'
    case 'failed':
      return 'Could not be read'
    case 'cancelled':
      return 'Cancelled'
  }
}

export function sizeInWords({ pagesTotal, chunks, bytes }: DocumentSummary): string {
  const parts = [
    ...((pagesTotal ?? 0) > 1 ? [`${pagesTotal} pages`] : []),
    ...(chunks > 0 ? [chunks === 1 ? '1 passage' : `${chunks} passages`] : []),
    ...(bytes > 0 ? [bytesInWords(bytes)] : []),
  ]
  return parts.join(' · ')
}

export function bytesInWords(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** Which page, what happened, and what to do. */
export function failureInWords({ page, reason, message, action }: NonNullable<DocumentSummary['error']>): string {
  // A reason may say the whole of the message itself.
  const said = reason.startsWith(message) ? [reason] : [message, reason]
  return [...(page === null ? [] : [`Page ${page}:`]), ...said, action].filter((part) => part !== '').join(' ')
}

export function percentInWords(share: number): string {
  return `${Math.round(share * 100)} %`
}
