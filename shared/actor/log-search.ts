import { decodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { parseSubject } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import type { Transport } from '#shared/transport/port.ts'
import { EVENTS } from './streams.ts'

/** What stands in the log under these filters since a time, in order. */
export async function saidSince(
  transport: Transport,
  since: number,
  filters: readonly string[],
): Promise<{ readonly subject: string; readonly event: LogEvent }[]> {
  if (filters.length === 0) return []
  const from = await placeAt(transport, since)
  const said: { subject: string; event: LogEvent }[] = []
  for await (const { subject, data } of transport.read(EVENTS, { filters, from })) {
    const event = readable(subject, data)
    if (event !== null) said.push({ subject, event })
  }
  return said
}

/**
 * A place in the log before everything that was stored since a time, give or take how clocks differ. Found by halving: a
 * few reads in any log.
 */
export async function placeAt(transport: Transport, since: number): Promise<number> {
  let { firstSequence: low, lastSequence: high } = await transport.streamInfo(EVENTS)
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const entry = await transport.at(EVENTS, middle)
    if (entry === null || entry.at < since - CLOCKS_DIFFER_MS) low = middle + 1
    else high = middle
  }
  return low
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

/** `subject#id` of the entries under this filter that count, as far as what stands there since then tells. */
export async function countedSince(transport: Transport, since: number, filter: string): Promise<Set<string>> {
  const floors = new Floors()
  const counted = new Set<string>()
  for (const { subject, event } of await saidSince(transport, since, [filter])) {
    const parsed = parseSubject(subject)
    if (parsed.lane === 'ev' && floors.admit(event, parsed.audience)) counted.add(`${subject}#${event.id}`)
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
/** The broker's clock stamps entries, ours the ids; they may differ by this much. */
const CLOCKS_DIFFER_MS = 10_000
