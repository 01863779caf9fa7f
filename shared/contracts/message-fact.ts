import type { MessageFact } from './event-map.ts'

/** A message as a row of storage holds it: what is not a column of its own lies in `data`. */
export interface MessageRow {
  readonly id: string
  readonly parentId: string | null
  readonly role: MessageFact['role']
  readonly author: string
  readonly clientId: string
  readonly content: string
  readonly data: Readonly<Record<string, unknown>>
  readonly revision: number
  readonly createdAt: number
}

/** The fact that a stored message is. `at` is kept in `data`, so that event and row say the same time. */
export function messageFact(row: MessageRow): MessageFact {
  const { citations = [], extractive = false, output = null, at = row.createdAt } = row.data as Partial<RowData>
  const { id, clientId, parentId, role, author, content: text, revision } = row
  return { id, clientId, parentId, role, author, text, citations, extractive, data: output, revision, at }
}

/** The other way round: what of a fact goes into the row's `data`. */
export function rowData(fact: MessageFact): RowData {
  return { citations: fact.citations, extractive: fact.extractive, output: fact.data ?? null, at: fact.at }
}

interface RowData {
  readonly [name: string]: unknown
  readonly citations: MessageFact['citations']
  readonly extractive: boolean
  readonly output: unknown
  readonly at: number
}
