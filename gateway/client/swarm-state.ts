import type { LogEntry } from '#shared/contracts/client.ts'
import { isAfter } from './after-cursor.ts'
import { foldActors } from './fold-actors.ts'
import type { Actors } from './fold-actors.ts'
import { knownEntry } from './known-entry.ts'
import type { EntryOf } from './known-entry.ts'

/** Bounds of what a watcher keeps (I11); the log itself has the rest. */
export const MAX_ROWS = 2000
export const MAX_ACTORS = 1000
/** How far back a delta looks for the row of its message: many conversations stream at once. */
const RUN_LOOKBACK_ROWS = 40

/** What the whole swarm of a tenant does: its actors as last heard, and the latest events. */
export interface SwarmState {
  readonly cursor: string | null
  readonly actors: Actors
  /** Oldest first. */
  readonly rows: readonly SwarmRow[]
  /** Entries seen since the watch began, those no longer kept included. */
  readonly seen: number
}

/** One line of the event list: an entry, or a run of deltas of one message. */
export interface SwarmRow {
  /** Grows by one with every row; stays with its row. */
  readonly key: number
  /** The entry; of a run of deltas, the latest. */
  readonly entry: LogEntry
  readonly count: number
  /** UTF-16 code units of a run of deltas; 0 for others. */
  readonly chars: number
}

export function emptySwarm(cursor: string | null = null): SwarmState {
  return { cursor, actors: {}, rows: [], seen: 0 }
}

/** Folds a batch of entries that were not folded before. */
export function reduceSwarm(state: SwarmState, entries: readonly LogEntry[]): SwarmState {
  if (entries.length === 0) return state
  const changed: EntryOf<'actor:changed'>[] = []
  let { cursor } = state
  for (const entry of entries) {
    if (isAfter(entry.cursor, cursor)) cursor = entry.cursor
    const known = knownEntry(entry)
    if (known?.type === 'actor:changed') changed.push(known)
  }
  return {
    cursor,
    actors: foldActors(state.actors, changed, MAX_ACTORS),
    rows: addRows(state.rows, entries),
    seen: state.seen + entries.length,
  }
}

function addRows(rows: readonly SwarmRow[], entries: readonly LogEntry[]): readonly SwarmRow[] {
  const next = [...rows]
  for (const entry of entries) {
    const delta = deltaOf(entry)
    const at = delta === null ? -1 : next.findLastIndex((row, index) => sameRun(row, delta, next.length - index))
    const run = next[at]
    if (run !== undefined && delta !== null) {
      next[at] = { ...run, entry, count: run.count + 1, chars: run.chars + delta.text.length }
    } else {
      next.push({ key: (next.at(-1)?.key ?? 0) + 1, entry, count: 1, chars: delta?.text.length ?? 0 })
    }
  }
  return next.length > MAX_ROWS ? next.slice(-MAX_ROWS) : next
}

function sameRun(row: SwarmRow, delta: Delta, back: number): boolean {
  return back <= RUN_LOOKBACK_ROWS && deltaOf(row.entry)?.messageId === delta.messageId
}

type Delta = EntryOf<'text:delta'>['payload']

function deltaOf(entry: LogEntry): Delta | null {
  const known = knownEntry(entry)
  return known?.type === 'text:delta' ? known.payload : null
}
