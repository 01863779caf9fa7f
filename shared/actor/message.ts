import { WaggleError } from '#shared/errors/waggle-error.ts'
import { MAX_HOPS } from '#shared/wire/envelope.ts'
import type { Address, Envelope, Principal } from '#shared/wire/envelope.ts'
import type { Messages, MessageSpec } from './contract.ts'
import type { Cause } from './definition.ts'

/** Where a message comes from: what its envelope inherits. */
export interface Origin {
  readonly principal: Principal | null
  readonly tenant: string
  readonly from: Address
  readonly chain: readonly Address[]
  /** Absolute; 0 is none. */
  readonly deadline: number
  readonly epoch: number
  readonly control: number
  readonly taint: readonly string[]
  readonly trace: string
}

export function originOf(principal: Principal, trace = ''): Origin {
  return {
    principal,
    tenant: principal.tenant,
    from: `client/${principal.user}`,
    chain: [],
    deadline: 0,
    epoch: 0,
    control: 0,
    taint: [],
    trace,
  }
}

/** Of a principal at the edge, and not of an actor. */
export function isOutside({ from }: Origin): boolean {
  return from.startsWith('client/')
}

/**
 * A hop path of people who no longer wait: what was told or spawned is not waited for, so asking one of these is no
 * cycle. They still count as hops.
 */
export function passed(chain: readonly Address[]): Address[] {
  return chain.map((address) => (address.startsWith(PASSED) ? address : `${PASSED}${address}`) as Address)
}

/** Whoever waits for this answer cannot be asked on the way: it would never come (I8). */
export function checkAncestor(chain: readonly Address[], address: Address): void {
  if (chain.includes(address)) throw new WaggleError('CALLS_ANCESTOR', { address, chain })
}

const PASSED = '~'

/** The origin of what an actor says while handling `envelope`. */
export function originWithin(envelope: Envelope, self: Address, epoch: number): Origin {
  return {
    principal: envelope.principal,
    tenant: envelope.tenant,
    from: self,
    chain: [...envelope.chain, self],
    deadline: envelope.deadline,
    epoch,
    control: envelope.control,
    taint: envelope.taint,
    trace: envelope.trace,
  }
}

export function causeOf(envelope: Envelope): Cause {
  const { id, from, principal, taint, trace, control, deadline, at, attempt } = envelope
  return { id, from, principal, taint, trace, control, deadline, at, attempt }
}

/** Refuses a message that has been through too many actors (I11). */
export function checkHops(chain: readonly Address[]): void {
  if (chain.length > MAX_HOPS)
    throw new WaggleError('TOO_MANY_HOPS', { hops: chain.length, limit: MAX_HOPS, chain: chain.slice(-6) })
}

export function specOf<Verb extends MessageSpec['verb']>(
  messages: Messages,
  kind: string,
  name: string,
  verb: Verb,
): Extract<MessageSpec, { verb: Verb }> {
  const spec = Object.hasOwn(messages, name) ? messages[name] : undefined
  if (spec === undefined || spec.verb !== verb)
    throw new WaggleError('UNKNOWN_MESSAGE', { kind, message: name.slice(0, 60), verb })
  return spec as Extract<MessageSpec, { verb: Verb }>
}
