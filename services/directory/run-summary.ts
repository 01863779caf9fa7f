import type { z } from 'zod'
import type { RunSummary } from '#shared/contracts/directory.ts'
import type { RunView } from '#shared/db/repositories/runs.ts'
import { decodeEnvelope } from '#shared/wire/envelope.ts'
import { decodeKey } from '#shared/wire/names.ts'

/** A run as the edge shows it; key: conversation, run. Its parent's key ends with the agent. */
export function runSummary(row: RunView): z.infer<typeof RunSummary> {
  const [conversationId = '', id = ''] = decodeKey(row.key)
  const agent = decodeKey(row.parentKey).at(-1) ?? ''
  return {
    id,
    conversationId,
    turnId: turnOf(row.envelope),
    agent,
    state: row.state,
    attempt: row.attempt,
    createdAt: row.startedAt,
    updatedAt: row.changedAt,
    error: row.error,
  }
}

/** A run is spawned for a turn; only its input says for which. */
function turnOf(envelope: Uint8Array): string {
  const { payload } = decodeEnvelope(envelope)
  const turnId: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'turnId') : ''
  return typeof turnId === 'string' ? turnId : ''
}
