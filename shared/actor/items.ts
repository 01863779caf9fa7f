import type { Deferred } from '#shared/lib/deferred.ts'
import type { Address, Envelope } from '#shared/wire/envelope.ts'
import type { Delivery } from '#shared/transport/port.ts'
import { RESERVED_PREFIX } from './contract.ts'
import type { ChildEnd } from './definition.ts'
import type { DeadLetter, RunChange, TimerRow } from './store.ts'

/** What may lie in the mailbox of an actor. */
export type Item =
  | { readonly is: 'command'; readonly envelope: Envelope; readonly delivery: Delivery }
  | { readonly is: 'call'; readonly envelope: Envelope; readonly reply: string }
  | { readonly is: 'timer'; readonly row: TimerRow; readonly id: string }
  | {
      readonly is: 'ended'
      readonly envelope: Envelope
      readonly end: ChildEnd
      readonly change: () => RunChange
      /** Of a child that was given up. */
      readonly letter: DeadLetter | null
      readonly told: () => void
    }
  | {
      readonly is: 'open'
      /** A child that goes on: its row's change, and whether our epoch must be opened for it in the log. */
      readonly child: { readonly who: Address; readonly change: () => RunChange; readonly opens: boolean } | null
      readonly id: string
      readonly done: Deferred<void>
    }

/** A call that every virtual actor answers: proof that its mailbox is being worked off. */
export const PROBE = `${RESERVED_PREFIX}probe`

export function typeOf(item: Item): string {
  if (item.is === 'command' || item.is === 'call') return item.envelope.type
  return item.is === 'timer' ? `${RESERVED_PREFIX}timer` : `${RESERVED_PREFIX}${item.is}`
}
export function endedId(end: ChildEnd, envelope: Envelope): string {
  return `ended:${end.address}:${envelope.id}`
}

export function timerEnvelope(row: TimerRow, self: Address): Envelope {
  const envelope = runtimeEnvelope(row.tenant, self, `${RESERVED_PREFIX}timer`, row.dueAt)
  return { ...envelope, id: `timer:${row.name}:${row.dueAt}`, payload: { name: row.name, payload: row.payload } }
}

/** A message of the runtime to an actor, on nobody's behalf. */
export function runtimeEnvelope(tenant: string, self: Address, type: string, at: number): Envelope {
  const nobody = {
    chain: [],
    deadline: 0,
    attempt: 1,
    epoch: 0,
    control: 0,
    principal: null,
    taint: [],
    trace: '',
    receipt: '',
    payload: null,
  }
  return { ...nobody, id: type, type, version: 1, tenant, from: self, at }
}
