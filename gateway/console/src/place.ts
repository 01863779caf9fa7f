/**
 * Where in the console the reader is, by the address: `#c=…` or nothing is the chat, `#/…` another page. A citation's link
 * is such an address: `#/documents/<id>/<version>/<start>-<end>`.
 */
export interface PassagePlace {
  readonly documentId: string
  readonly version: number
  readonly start: number
  readonly end: number
}
export const KNOWLEDGE_VIEWS = ['documents', 'search', 'unanswered', 'answers'] as const
export type KnowledgeView = (typeof KNOWLEDGE_VIEWS)[number]
export type Place =
  | { readonly page: 'chat' }
  | ({ readonly page: 'passage' } & PassagePlace)
  /** Null: the first collection. */
  | { readonly page: 'knowledge'; readonly collection: string | null; readonly view: KnowledgeView }
  | { readonly page: 'unknown' }

export function placeIn(hash: string): Place {
  if (!hash.startsWith('#/')) return { page: 'chat' }
  const [name = '', ...parts] = hash.slice(2).split('/').map(decoded)
  switch (name) {
    case 'documents':
      return passageIn(parts) ?? { page: 'unknown' }
    case 'knowledge': {
      const view = KNOWLEDGE_VIEWS.find((one) => one === parts[1]) ?? 'documents'
      return { page: 'knowledge', collection: parts[0] === undefined || parts[0] === '' ? null : parts[0], view }
    }
    default:
      return { page: 'unknown' }
  }
}

export function passageHash({ documentId, version, start, end }: PassagePlace): string {
  return `#/documents/${encodeURIComponent(documentId)}/${version}/${start}-${end}`
}

export function knowledgeHash(collection: string | null, view: KnowledgeView = 'documents'): string {
  return collection === null ? '#/knowledge' : `#/knowledge/${encodeURIComponent(collection)}/${view}`
}

function passageIn([documentId = '', version = '', range = '']: readonly string[]): Place | null {
  const span = /^(\d+)-(\d+)$/.exec(range)
  if (documentId === '' || !/^\d+$/.test(version) || span === null) return null
  return { page: 'passage', documentId, version: Number(version), start: Number(span[1]), end: Number(span[2]) }
}

/** What is no escape is left as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
