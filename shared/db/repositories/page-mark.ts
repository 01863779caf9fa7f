import { refuse } from '#shared/errors/waggle-error.ts'
import type { PageMark } from './conversations.ts'

/** Where a page ended, as the text that a client hands back. */
export function markOf(text: string | null): { readonly after: PageMark } | Record<string, never> {
  if (text === null) return {}
  const match = /^(\d{1,16})\.([A-Za-z0-9_-]{1,120})$/.exec(text)
  if (match === null) throw refuse('BAD_INPUT', { fields: [{ path: 'after', problem: 'not the `next` of a page' }] })
  return { after: { at: Number(match[1]), id: match[2]! } }
}

/** The mark of the next page; null when this one was not full. */
export function nextOf<Row>(rows: readonly Row[], limit: number, mark: (row: Row) => PageMark): string | null {
  const last = rows.length < limit ? undefined : rows.at(-1)
  if (last === undefined) return null
  const { at, id } = mark(last)
  return `${Math.floor(at)}.${id}`
}
