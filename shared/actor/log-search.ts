import { decodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { parseSubject } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import type { LogView } from './event-log.ts'

/** What stands in the log under these filters since a time, in order. */
export async function saidSince(log: LogView, since: number, filters: readonly string[]): Promise<Heard[]> {
  if (filters.length === 0) return []
  const from = await log.placeAt(since)
  const said: Heard[] = []
  for await (const { subject, data, sequence } of log.read({ filters, from })) {
    const event = readable(subject, data)
    if (event !== null) said.push({ subject, event, sequence })
  }
  return said
}

export interface Heard {
  readonly subject: string
  readonly event: LogEvent
  readonly sequence: number
}

/** Null for what no reader can read, and so counts for none: one such entry must not keep the log from being kept. */
function readable(subject: string, data: Uint8Array): LogEvent | null {
  try {
    parseSubject(subject)
    return decodeEvent(data)
  } catch {
    return null
  }
}

/** The entries under this filter that count, as far as what stands there since then tells: places by `subject#id`. */
export async function countedSince(log: LogView, since: number, filter: string): Promise<Map<string, number>> {
  const floors = new Floors()
  const counted = new Map<string, number>()
  for (const { subject, event, sequence } of await saidSince(log, since, [filter])) {
    const parsed = parseSubject(subject)
    if (parsed.lane === 'ev' && floors.admit(event, parsed.audience)) counted.set(`${subject}#${event.id}`, sequence)
  }
  return counted
}

/** When an id of ours was made, in milliseconds: the first ten digits of a ULID (Crockford's base 32). */
export function timeOfId(id: string): number {
  let time = 0
  for (const digit of id.slice(0, 10)) time = time * 32 + DIGITS.indexOf(digit)
  return time
}

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
