import type { LogView } from '#shared/actor/event-log.ts'
import { decodeName } from '#shared/wire/names.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { TENANT } from '../world/seed.ts'

export interface TrueEntry {
  readonly sequence: number
  readonly audience: Audience
  readonly event: LogEvent
}

/** What the log says, by conversation, in its order, after voiding: what every reader must come to. */
export interface Truth {
  readonly conversations: ReadonlyMap<string, readonly TrueEntry[]>
  readonly voided: number
  readonly unreadable: number
}

export async function readTruth(log: LogView): Promise<Truth> {
  const floors = new Map<string, Floors>()
  const conversations = new Map<string, TrueEntry[]>()
  let voided = 0
  let unreadable = 0
  for await (const { subject, data, sequence } of log.read({ filters: [filters.eventsOfTenant(TENANT)], from: 1 })) {
    const parsed = parseSubject(subject)
    if (parsed.lane !== 'ev') continue
    let event: LogEvent
    try {
      event = decodeEvent(data)
    } catch {
      unreadable++
      continue
    }
    const known = floors.get(parsed.scope) ?? new Floors()
    floors.set(parsed.scope, known)
    if (!known.admit(event, parsed.audience)) {
      voided++
      continue
    }
    const scope = decodeName(parsed.scope)
    const entries = conversations.get(scope)
    const entry = { sequence, audience: parsed.audience, event }
    if (entries === undefined) conversations.set(scope, [entry])
    else entries.push(entry)
  }
  return { conversations, voided, unreadable }
}
