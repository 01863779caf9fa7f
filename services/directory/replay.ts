import { coded, refuse } from '#shared/errors/waggle-error.ts'
import { decodeEnvelope, encodeEnvelope } from '#shared/wire/envelope.ts'
import { parseSubject } from '#shared/wire/subjects.ts'

/** What a letter is sent again as. */
export interface Again {
  readonly subject: string
  readonly bytes: Uint8Array
  /** Made of the letter: however many replay it at once, it is one message. */
  readonly id: string
}

/** The part of a letter that is sent. */
interface Letter {
  readonly id: string
  readonly subject: string
  readonly payload: Uint8Array
}

/** A new attempt in the same trace, with another payload where one is given. Throws BAD_INPUT for what cannot be sent. */
export function again(tenant: string, letter: Letter, edited: unknown): Again {
  const { subject, payload } = letter
  const id = `replay-${letter.id}`
  try {
    const parsed = parseSubject(subject)
    if (parsed.tenant !== tenant) throw refuse('BAD_INPUT', { reason: 'It is no message of this tenant.' })
    switch (parsed.lane) {
      case 'cmd':
        return { subject, id, bytes: nextAttempt(payload, id, edited) }
      case 'in':
      case 'out':
        return { subject, id, bytes: bridged(payload, id, edited) }
      case 'ask':
      case 'call':
      case 'ev':
      case 'own':
      case 'live':
      case 'live own':
      case 'sig':
        throw refuse('BAD_INPUT', { reason: 'Only commands and messages of bridges can be replayed.' })
    }
  } catch (error) {
    const failure = coded(error)
    const reason = failure.expected ? failure.message : `It cannot be replayed: ${failure.message}`
    throw refuse('BAD_INPUT', { reason })
  }
}

function nextAttempt(payload: Uint8Array, id: string, edited: unknown): Uint8Array {
  const envelope = decodeEnvelope(payload)
  return encodeEnvelope({
    ...envelope,
    id,
    attempt: envelope.attempt + 1,
    at: Date.now(),
    deadline: 0,
    receipt: '',
    chain: [],
    payload: edited === undefined ? envelope.payload : edited,
  })
}

/** What bridges say among themselves may be anything: an envelope of ours, otherwise bytes, which an edit makes JSON. */
function bridged(payload: Uint8Array, id: string, edited: unknown): Uint8Array {
  if (isEnvelope(payload)) return nextAttempt(payload, id, edited)
  return edited === undefined ? payload : new TextEncoder().encode(JSON.stringify(edited))
}

function isEnvelope(bytes: Uint8Array): boolean {
  try {
    decodeEnvelope(bytes)
    return true
  } catch {
    return false
  }
}

/** A payload as people can read it: that of an envelope, JSON, or null. */
export function readable(bytes: Uint8Array): unknown {
  try {
    return decodeEnvelope(bytes).payload
  } catch {
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
    } catch {
      return null
    }
  }
}
