import { pack, unpack } from '#shared/wire/codec.ts'
import { encodeKey } from '#shared/wire/names.ts'
import { signalSubject } from '#shared/wire/subjects.ts'

/**
 * What gateways tell each other of people in a conversation, on the volatile lane. The audience is in the subject, as it is
 * in the log (I6): connections of customers only ever listen to `pub`, and nothing there names a person of the tenant.
 */
export type Signal =
  | {
      readonly kind: 'typing'
      readonly seat: string
      readonly user: string
      readonly staff: boolean
      readonly on: boolean
    }
  | { readonly kind: 'here'; readonly seat: string; readonly user: string; readonly state: PersonState }
  | { readonly kind: 'gone'; readonly seat: string }
  /** Somebody came, and asks who is there. */
  | { readonly kind: 'who'; readonly seat: string }

export type PersonState = 'viewing' | 'replying' | 'noting'
export type SignalAudience = 'pub' | 'ops'

const VERSION = 1
const STATES: readonly unknown[] = ['viewing', 'replying', 'noting']

export function conversationSignals(tenant: string, conversationId: string, audience: SignalAudience): string {
  return signalSubject(tenant, 'conversation', encodeKey([conversationId, audience]))
}

export function encodeSignal(signal: Signal): Uint8Array {
  switch (signal.kind) {
    case 'typing':
      return pack([VERSION, 'typing', signal.seat, signal.user, signal.staff, signal.on])
    case 'here':
      return pack([VERSION, 'here', signal.seat, signal.user, signal.state])
    case 'gone':
    case 'who':
      return pack([VERSION, signal.kind, signal.seat])
  }
}

/** Null for what no gateway of this version said: a signal may be lost, so one that is not understood is. */
export function decodeSignal(bytes: Uint8Array): Signal | null {
  let parts: unknown
  try {
    parts = unpack(bytes)
  } catch {
    return null
  }
  if (!Array.isArray(parts) || parts[0] !== VERSION || typeof parts[2] !== 'string') return null
  const [, kind, seat, user, fourth, fifth] = parts as unknown[] as [number, unknown, string, ...unknown[]]
  if (kind === 'gone' || kind === 'who') return { kind, seat }
  if (typeof user !== 'string') return null
  if (kind === 'here' && STATES.includes(fourth)) return { kind, seat, user, state: fourth as PersonState }
  if (kind === 'typing' && typeof fourth === 'boolean' && typeof fifth === 'boolean')
    return { kind, seat, user, staff: fourth, on: fifth }
  return null
}
