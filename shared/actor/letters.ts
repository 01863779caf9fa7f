import { createHash } from 'node:crypto'
import { coded } from '#shared/errors/waggle-error.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import { decodeEnvelope } from '#shared/wire/envelope.ts'
import { LETTER_BURIED, encodeEvent } from '#shared/wire/event.ts'
import { keyHead } from '#shared/wire/names.ts'
import { eventSubject, parseSubject } from '#shared/wire/subjects.ts'
import { RESERVED_PREFIX } from './contract.ts'
import type { Core } from './core.ts'
import type { AttemptError, DeadLetter } from './store.ts'

/** Failures of a command that no retry mends: it is a dead letter at once. */
export const BURIED_AT_ONCE: ReadonlySet<string> = new Set([
  'TOO_OLD',
  'EXPIRED',
  'BAD_INPUT',
  'UNKNOWN_MESSAGE',
  'GAVE_UP',
  'TOO_LARGE',
  'TOO_MANY_HOPS',
])

/**
 * What is no command of a contract becomes one in its letter, so that it can be read, edited and replayed like any other:
 * a reminder, the end of a child, and a child that was given up, whose parent's `again` begins it anew.
 */
export const TIMER = `${RESERVED_PREFIX}timer`
export const ENDED = `${RESERVED_PREFIX}ended`
export const AGAIN = `${RESERVED_PREFIX}again`

/** Errors of a run that mean: it was not its work that failed, it could not be done. */
export const GIVEN_UP: ReadonlySet<string> = new Set(['GAVE_UP', 'UNKNOWN_KIND'])

/** Failures that a letter and a row keep, the newest. */
export const MAX_HISTORY = 20

/** A dead letter (I13): what could not be handled, as it was received, and why. */
export function letter(
  core: Core,
  of: {
    readonly tenant: string
    readonly subject: string
    readonly payload: Uint8Array
    readonly error: WaggleError
    /** Deterministic where the same thing may be buried twice. */
    readonly id?: string
    readonly attempts?: number
    readonly history?: readonly AttemptError[]
    readonly trace?: string
  },
): DeadLetter {
  const { tenant, subject, payload, error, attempts = 1, history = [], trace = '' } = of
  const at = core.clock.now()
  const last = { code: error.code, message: error.message, at }
  return {
    id: of.id ?? core.newId(),
    tenant,
    subject,
    payload,
    code: error.code,
    message: error.message,
    attempts: Math.max(1, attempts),
    history: history.length > 0 ? history : [last],
    trace,
    at,
  }
}

/** An id that is the same however often the same thing is buried, whatever the thing is called. */
export function letterId(of: string, what: string): string {
  return `${of}-${createHash('sha256').update(what).digest('base64url').slice(0, 22)}`
}

/** The trace of bytes that may be anything. */
export function traceIn(bytes: Uint8Array): string {
  try {
    return decodeEnvelope(bytes).trace
  } catch {
    return ''
  }
}

/** Tells of a letter that no step of an actor tells of: counted, and said in the log by the node. Lost at worst: the letter is stored. */
export function announceLetter(core: Core, buried: DeadLetter, type: string): void {
  const about = addressee(buried.subject)
  core.observe('letter:buried', { tenant: buried.tenant, kind: about?.kind ?? 'unknown', code: buried.code })
  if (about === null || buried.tenant !== about.tenant) return
  const payload = { letterId: buried.id, kind: about.kind, key: about.key, type, code: buried.code }
  const id = `${buried.id}-said`
  const head = { id, type: LETTER_BURIED, version: 1, by: `system/${core.node}`, epoch: 0, control: 0 } as const
  const bytes = encodeEvent({ ...head, at: buried.at, trace: buried.trace, payload })
  const subject = eventSubject(buried.tenant, keyHead(about.key), 'ops')
  core.events.append(subject, bytes, { messageId: `${subject}#${id}` }).catch((error: unknown) => {
    core.log.debug({ letter: buried.id, code: coded(error).code }, 'a letter was not announced')
  })
}

/** Whom a subject speaks to, in words of the event: a lane's channel and thread are kind and key of what is no actor. */
function addressee(subject: string): { tenant: string; kind: string; key: string } | null {
  try {
    const parsed = parseSubject(subject)
    const { tenant } = parsed
    switch (parsed.lane) {
      case 'cmd':
        return { tenant, kind: parsed.kind, key: parsed.key }
      case 'ev':
        return { tenant, kind: 'ev', key: parsed.scope }
      case 'in':
      case 'out':
        return { tenant, kind: parsed.lane, key: parsed.thread }
      case 'ask':
      case 'call':
      case 'own':
      case 'live':
      case 'live own':
      case 'sig':
        return null
    }
  } catch {
    return null
  }
}
