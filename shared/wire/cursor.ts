/**
 * A place in the log: `<log incarnation>.<sequence>`, opaque to clients (I5). A cursor of another incarnation, or ahead
 * of the log, is answered with a snapshot.
 */
export interface Cursor {
  readonly incarnation: string
  /** Stream sequence of the last entry that was seen; 0 is before the first. */
  readonly sequence: number
}

export function formatCursor(cursor: Cursor): string {
  return `${cursor.incarnation}.${cursor.sequence}`
}

/** Null for anything that is not a cursor: the reader then gets a snapshot, as with a cursor from another life. */
export function parseCursor(text: string): Cursor | null {
  const match = /^([0-9a-z]{1,64})\.(0|[1-9]\d{0,15})$/.exec(text)
  if (!match) return null
  const sequence = Number(match[2])
  return Number.isSafeInteger(sequence) ? { incarnation: match[1]!, sequence } : null
}
