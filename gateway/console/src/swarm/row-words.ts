import { knownEntry } from '#gateway/client/known-entry.ts'
import type { SwarmRow } from '#gateway/client/swarm-state.ts'
import { entryInWords } from '#gateway/client/words.ts'

/** Rows are never changed in place, so each is put in words once. */
const cache = new WeakMap<SwarmRow, string>()

export function rowInWords(row: SwarmRow): string {
  const known = cache.get(row)
  if (known !== undefined) return known
  const words = makeWords(row)
  cache.set(row, words)
  return words
}

function makeWords({ entry, count, chars }: SwarmRow): string {
  const known = knownEntry(entry)
  if (known === null) return ''
  if (known.type === 'text:delta') return `${chars} characters in ${count === 1 ? '1 piece' : `${count} pieces`}`
  return entryInWords(known)
}
