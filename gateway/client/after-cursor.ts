import { parseCursor } from '#shared/wire/cursor.ts'

/**
 * Whether an entry is new to a reader that has seen everything up to `seen`. Within one incarnation the sequence
 * decides. A cursor of another incarnation, or one that cannot be read, is taken as new: the gateway sends a snapshot
 * before it, and a fact that comes twice does no harm.
 */
export function isAfter(cursor: string, seen: string | null): boolean {
  if (seen === null) return true
  const next = parseCursor(cursor)
  const last = parseCursor(seen)
  if (next === null || last === null) return cursor !== seen
  return next.incarnation !== last.incarnation || next.sequence > last.sequence
}
