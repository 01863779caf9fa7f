import type { LogView } from '#shared/actor/event-log.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { encodeName } from '#shared/wire/names.ts'
import { filters } from '#shared/wire/subjects.ts'
import type { Floors } from '#shared/wire/voiding.ts'
import { LogLine } from './entry.ts'
import { Incoming } from './incoming.ts'
import { PAST_BYTES, PAST_ENTRIES, PAST_TURNS } from './limits.ts'
import type { SnapshotBody } from './reader.ts'

/** What is told of a turn beside its messages, which the snapshot has. */
const OF_TURNS: ReadonlySet<string> = new Set([
  'turn:started',
  'turn:ended',
  'agent:speaking',
  'human:offered',
  'route:decided',
  'run:started',
  'run:ended',
  'tool:called',
  'tool:returned',
  'guardrail:checked',
])

export interface PastParts {
  readonly log: LogView
  readonly incarnation: string
  readonly signal: AbortSignal
  readonly floors: (tenant: string, scope: string, sequence: number) => Promise<Floors>
}

/**
 * How the newest turns of a conversation went, for operators: the entries of the log up to a place that tell of them, as
 * their reader would have got them, so that the client folds them like any other. From the log and not from rows, because
 * it holds exactly what operators may see (arguments as they were shown, calls that were denied) and nothing else does;
 * so what has grown too old for the log is not shown.
 */
export async function readPast(
  parts: PastParts,
  tenant: string,
  body: SnapshotBody,
  upTo: number,
): Promise<readonly LogEntry[]> {
  const questions = body.messages.filter(({ role }) => role === 'user')
  const first = questions.at(-PAST_TURNS) ?? questions[0]
  if (first === undefined) return []
  const { log, incarnation, signal } = parts
  const scope = encodeName(body.conversationId)
  const from = await log.placeAt(first.at)
  if (from > upTo) return []
  const floors = await parts.floors(tenant, scope, from - 1)
  const past: LogLine<'pub' | 'ops'>[] = []
  for await (const message of log.read({ filters: [filters.eventsOfScope(tenant, scope)], from, signal })) {
    if (message.sequence > upTo) break
    const incoming = Incoming.stored(message, tenant)
    const event = incoming?.event() ?? null
    if (incoming === null || event === null || !floors.admit(event, incoming.audience)) continue
    const { audience, sequence } = incoming
    if (audience === 'sys' || !OF_TURNS.has(event.type)) continue
    past.push(new LogLine(audience, sequence, incarnation, body.conversationId, event))
    if (past.length > PAST_ENTRIES) past.shift()
  }
  return fitting(past)
}

function fitting(past: readonly LogLine<'pub' | 'ops'>[]): LogEntry[] {
  let bytes = 0
  const beyond = past.findLastIndex((line) => (bytes += line.json().length) > PAST_BYTES)
  return past.slice(beyond + 1).map(({ wire }) => wire)
}
