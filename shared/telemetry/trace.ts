import { randomBytes } from 'node:crypto'

/** W3C Trace Context (version 00): `00-<trace id>-<parent id>-<flags>`. */
const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const NO_TRACE = '0'.repeat(32)
const NO_PARENT = '0'.repeat(16)
const SAMPLED = '01'

/** A new trace with a new parent id. */
export function newTrace(): string {
  const bytes = randomBytes(24)
  return `00-${bytes.toString('hex', 0, 16)}-${bytes.toString('hex', 16, 24)}-${SAMPLED}`
}

/** The same trace with a new parent id; a new trace when there is none, or it is malformed (as the standard wants). */
export function childTrace(traceparent: string | undefined): string {
  const parts = partsOf(traceparent)
  return parts === null ? newTrace() : `00-${parts.trace}-${randomBytes(8).toString('hex')}-${parts.flags}`
}

/** The trace id, for people to search for; empty when there is none. */
export function traceId(traceparent: string | undefined): string {
  return partsOf(traceparent)?.trace ?? ''
}

function partsOf(traceparent: string | undefined): { trace: string; flags: string } | null {
  const match = traceparent === undefined ? null : FORM.exec(traceparent.trim())
  if (!match || match[1] === NO_TRACE || match[2] === NO_PARENT) return null
  return { trace: match[1]!, flags: match[3]! }
}
