import type { z } from 'zod'
import type { RunSummary } from '#shared/contracts/directory.ts'
import type { RunView } from '#shared/db/repositories/runs.ts'
import { decodeKey } from '#shared/wire/names.ts'

/** A run as the edge shows it; key: conversation, run. Its parent's key ends with the agent. */
export function runSummary(row: RunView): z.infer<typeof RunSummary> {
  const [conversationId = '', id = ''] = decodeKey(row.key)
  const agent = decodeKey(row.parentKey).at(-1) ?? ''
  const message = (row.result as { message?: { parentId?: string } } | null)?.message
  return {
    id,
    conversationId,
    turnId: message?.parentId ?? '',
    agent,
    state: row.state,
    attempt: row.attempt,
    createdAt: row.startedAt,
    updatedAt: row.changedAt,
    error: row.error,
  }
}
