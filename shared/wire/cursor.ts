import type { Audience } from './subjects.ts'

/**
 * A place in the log: `<log incarnation>.<sequence>`, opaque to clients (I5). A cursor of another incarnation, or ahead
 * of the log, is answered with a snapshot.
 *
 * Behind a live entry stand three more numbers: by how much what had been seen of `pub`, `ops` and `sys` lay behind it.
 * The live lane tells of a lost entry only within one audience; so whoever takes the cursor back can tell whether one of
 * another audience was missing when it was given out. Without them, everything up to the sequence had been seen.
 */
export interface Cursor {
  readonly incarnation: string
  /** Stream sequence of the last entry that was seen; 0 is before the first. */
  readonly sequence: number
  /** Sequence up to which each audience had been seen, at most `sequence`. */
  readonly heads?: Heads
}

export type Heads = Readonly<Record<Audience, number>>

export function formatCursor({ incarnation, sequence, heads }: Cursor): string {
  const place = `${incarnation}.${sequence}`
  if (heads === undefined) return place
  return `${place}.${sequence - heads.pub}.${sequence - heads.ops}.${sequence - heads.sys}`
}

/** Null for anything that is not a cursor: the reader then gets a snapshot, as with a cursor from another life. */
export function parseCursor(text: string): Cursor | null {
  const match = CURSOR.exec(text)
  if (!match) return null
  const sequence = Number(match[2])
  if (!Number.isSafeInteger(sequence)) return null
  const place = { incarnation: match[1]!, sequence }
  if (match[3] === undefined) return place
  const [pub, ops, sys] = [match[3], match[4], match[5]].map((lag) => sequence - Number(lag)) as [
    number,
    number,
    number,
  ]
  return Math.min(pub, ops, sys) < 0 ? null : { ...place, heads: { pub, ops, sys } }
}

const NUMBER = String.raw`(0|[1-9]\d{0,15})`
const CURSOR = new RegExp(String.raw`^([0-9a-z]{1,64})\.${NUMBER}(?:\.${NUMBER}\.${NUMBER}\.${NUMBER})?$`)
