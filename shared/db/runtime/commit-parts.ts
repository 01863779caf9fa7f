import type { DeadLetter, Fence, Step } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { SqlState, detailOf, sqlStateOf } from '../database-error.ts'
import { storableText } from '../storable.ts'

/**
 * Folds the steps of a batch into the parameters of the function runtime_commit (migration 0001), so that no row occurs
 * twice in a part: the last state of an actor, the last change of a timer and the last update of a run count. A part that
 * nothing is in is null.
 */
export const COMMIT = `select runtime_commit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`

export function commitParameters(fence: Fence, steps: readonly Step[]): unknown[] {
  const states = new Map<string, { key: string; version: number; value: string }>()
  const commands: { key: string; id: string; at: number }[] = []
  const receipts: (Buffer | null)[] = []
  const outbox: { id: string; key: string }[] = []
  const entries: Buffer[] = []
  const timers = new Map<string, { key: string; name: string; due_at: number | null; payload: string | null }>()
  const runs = new Map<string, RunPart>()
  const envelopes = new Map<string, Buffer>()
  const updates = new Map<string, RunUpdatePart>()
  const openings: { scope: string; who: string; epoch: number }[] = []
  const letters: LetterPart[] = []
  const payloads: Buffer[] = []
  const attempts: { key: string; command: string }[] = []

  for (const step of steps) {
    const { key } = step
    if (step.state !== null) states.set(key, { key, version: step.state.version, value: json(step.state.value) })
    else if (!states.has(key)) states.set(key, { key, version: 0, value: 'null' })
    if (step.command !== null) {
      commands.push({ key, id: step.command.id, at: step.command.at })
      receipts.push(step.command.receipt === null ? null : bytes(step.command.receipt))
    }
    if (step.outbox !== null) {
      outbox.push({ id: step.outbox.id, key })
      entries.push(bytes(step.outbox.entries))
    }
    for (const timer of step.timers) {
      const payload = timer.dueAt === null ? null : json(timer.payload)
      timers.set(`${key}\n${timer.name}`, { key, name: timer.name, due_at: timer.dueAt, payload })
    }
    for (const change of step.runs) {
      if (change.change === 'start') {
        const { run } = change
        const at = `${run.kind}\n${run.key}`
        runs.set(at, {
          kind: run.kind,
          key: run.key,
          parent_kind: run.parentKind,
          parent_key: run.parentKey,
          deadline: run.deadline,
        })
        envelopes.set(at, bytes(run.envelope))
      } else {
        updates.set(`${change.kind}\n${change.key}`, {
          kind: change.kind,
          key: change.key,
          state: change.state,
          attempt: change.attempt,
          restarts: change.restarts,
          result: json(change.result),
          error: json(change.error),
        })
      }
    }
    openings.push(...step.openings)
    if (step.deadLetter !== null) {
      letters.push(letterPart(step.deadLetter))
      payloads.push(bytes(step.deadLetter.payload))
    }
    if (step.clearAttempts !== null) attempts.push({ key, command: step.clearAttempts })
  }

  return [
    fence.tenant,
    fence.kind,
    fence.partition,
    fence.epoch,
    part([...states.values()]),
    part(commands),
    commands.length === 0 ? null : receipts,
    part(outbox),
    outbox.length === 0 ? null : entries,
    part([...timers.values()]),
    part([...runs.values()]),
    runs.size === 0 ? null : [...envelopes.values()],
    part([...updates.values()]),
    part(openings),
    part(letters),
    letters.length === 0 ? null : payloads,
    part(attempts),
  ]
}

interface RunPart {
  readonly kind: string
  readonly key: string
  readonly parent_kind: string
  readonly parent_key: string
  readonly deadline: number
}

interface RunUpdatePart {
  readonly kind: string
  readonly key: string
  readonly state: string
  readonly attempt: number
  readonly restarts: readonly number[]
  readonly result: string
  readonly error: string
}

export type LetterPart = Omit<DeadLetter, 'payload'>

export function letterPart(letter: DeadLetter): LetterPart {
  const { payload: _, ...rest } = letter
  return {
    ...rest,
    subject: storableText(letter.subject),
    message: storableText(letter.message),
    trace: storableText(letter.trace),
    history: letter.history.map((error) => ({ ...error, message: storableText(error.message) })),
  }
}

/** Ids of one batch that occur twice for the same actor: the second is a duplicate of the first. */
export function repeatedIn(steps: readonly Step[]): string[] {
  const seen = new Set<string>()
  const repeated: string[] = []
  for (const { key, command } of steps) {
    if (command === null) continue
    const at = `${key}\n${command.id}`
    if (seen.has(at)) repeated.push(command.id)
    seen.add(at)
  }
  return repeated
}

/** The ids that a refused commit named, or null when it failed for another reason. */
export function duplicatesIn(error: unknown): string[] | null {
  const cause = error instanceof WaggleError ? error.cause : error
  if (sqlStateOf(cause) !== SqlState.duplicates) return null
  return JSON.parse(detailOf(cause)) as string[]
}

/** JSON of anything JSON-safe; undefined becomes null. */
export function json(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** A view of the same memory, which `pg` sends as bytea. */
export function bytes(array: Uint8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
}

function part(rows: readonly object[]): string | null {
  return rows.length === 0 ? null : JSON.stringify(rows)
}
