/** Rows of the runtime's tables as `pg` gives them, and what they are in the store port. */
import type { EffectRow, OutboxRow, RunRow, TimerRow } from '#shared/actor/store.ts'

import { plainBytes } from '../plain-bytes.ts'

export interface OutboxRecord extends Omit<OutboxRow, 'entries'> {
  readonly entries: Buffer
}

export const OUTBOX_COLUMNS = 'tenant, id, kind, partition, key, epoch, entries'

export function outboxRow(record: OutboxRecord): OutboxRow {
  return { ...record, entries: plainBytes(record.entries) }
}

export interface RunRecord {
  readonly tenant: string
  readonly kind: string
  readonly key: string
  readonly parent_kind: string
  readonly parent_key: string
  readonly partition: number
  readonly state: RunRow['state']
  readonly attempt: number
  readonly restarts: number[]
  readonly deadline: number
  readonly envelope: Buffer
  readonly result: unknown
  readonly error: unknown
}

export const RUN_COLUMNS =
  'tenant, kind, key, parent_kind, parent_key, partition, state, attempt, restarts, deadline, envelope, result, error'

export function runRow(record: RunRecord): RunRow {
  const { parent_kind, parent_key, envelope, ...rest } = record
  return { ...rest, parentKind: parent_kind, parentKey: parent_key, envelope: plainBytes(envelope) }
}

export interface TimerRecord {
  readonly tenant: string
  readonly key: string
  readonly name: string
  readonly due_at: number
  readonly payload: unknown
}

export function timerRow({ due_at, ...rest }: TimerRecord): TimerRow {
  return { ...rest, dueAt: due_at }
}

export interface EffectRecord {
  readonly run: string
  readonly tool: string
  readonly args_hash: string
  readonly repeatable: boolean
  readonly status: EffectRow['status']
  readonly result: unknown
  readonly fresh: boolean
}

export function effectRow(id: string, { args_hash, ...rest }: EffectRecord): EffectRow {
  return { id, argsHash: args_hash, ...rest }
}
