import { TEXT_DELTA } from './entry.ts'
import type { Entry } from './entry.ts'

/**
 * What a reader that fell behind gets: the same without the deltas of messages whose end is also in the list. Folding
 * either gives the same state, because the end carries the whole text (I5: deltas are volatile, facts are not).
 */
export function withoutSpentDeltas(entries: readonly Entry[]): readonly Entry[] {
  const over = new Set<unknown>()
  for (const { wire } of entries) {
    if (wire.type === 'message:completed') over.add(field(wire.payload, 'id'))
    else if (wire.type === 'message:retracted') over.add(field(wire.payload, 'messageId'))
  }
  return entries.filter(({ wire }) => wire.type !== TEXT_DELTA || !over.has(field(wire.payload, 'messageId')))
}

function field(payload: unknown, name: string): unknown {
  return typeof payload === 'object' && payload !== null ? Reflect.get(payload, name) : undefined
}
