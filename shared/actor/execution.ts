import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { milliseconds } from '#shared/lib/duration.ts'
import type { Duration } from '#shared/lib/duration.ts'
import type { Logger } from '#shared/lib/logger.ts'
import { MAX_PAYLOAD_BYTES, encodeEnvelope, encodeReply } from '#shared/wire/envelope.ts'
import type { Address, Envelope } from '#shared/wire/envelope.ts'
import { ACTIVATION_OPENED, CONTROL_CHANGED, encodeEvent } from '#shared/wire/event.ts'
import { decodeKey, encodeKey, keyHead } from '#shared/wire/names.ts'
import { commandSubject, eventSubject, partitionOf } from '#shared/wire/subjects.ts'
import type { Contract, Messages, SpawnedContract } from './contract.ts'
import type { HostCore } from './core.ts'
import type { Cause, Context, EmitOptions, TellFromHandler } from './definition.ts'
import { causeOf, checkHops, originWithin, passed, specOf } from './message.ts'
import type { Origin } from './message.ts'
import { Way, encodeEntries, messageId } from './outbox.ts'
import type { Entry, Opening } from './outbox.ts'
import type { InputOf, NamesOf } from './ref.ts'
import { parse } from './schema.ts'
import type { DeadLetter, Fence, RunChange, Step, StoreTransaction, TenantSql, TimerChange } from './store.ts'

/**
 * One execution of a handler: the context it sees, and everything it leaves behind, gathered into one Step. Owned by the
 * lane that runs it and thrown away with it; nothing here has an effect before the step is committed.
 */
export class Execution implements Context<unknown> {
  readonly tenant: string
  readonly address: Address
  readonly cause: Cause
  readonly now: number
  readonly log: Logger
  state: unknown
  /** Children to be stopped after the commit. */
  readonly stops: { readonly address: Address; readonly reason: string }[] = []
  /** Children to be nudged after the commit. */
  readonly nudges: Address[] = []
  readonly #core: HostCore
  readonly #fence: Fence
  readonly #keyToken: string
  readonly #envelope: Envelope
  readonly #origin: Origin
  readonly #children: () => readonly Address[]
  readonly #row: string
  readonly #entries: Entry[] = []
  readonly #openings: { scope: string; who: string; epoch: number }[] = []
  readonly #timers = new Map<string, TimerChange>()
  readonly #runs: RunChange[] = []
  #transaction: StoreTransaction | null = null
  #beginning = false
  #closed = false

  constructor(
    core: HostCore,
    fence: Fence,
    keyToken: string,
    envelope: Envelope,
    state: unknown,
    children: () => readonly Address[],
  ) {
    this.#core = core
    this.#fence = fence
    this.#keyToken = keyToken
    this.#envelope = envelope
    this.#children = children
    this.tenant = fence.tenant
    this.address = `${fence.kind}/${keyToken}`
    this.#origin = originWithin(envelope, this.address, fence.epoch)
    this.cause = causeOf(envelope)
    this.now = core.clock.now()
    this.log = core.log
    this.state = state
    this.#row = core.newId()
  }

  get key(): readonly string[] {
    return decodeKey(this.#keyToken)
  }

  get children(): readonly Address[] {
    return this.#children()
  }

  get transaction(): StoreTransaction | null {
    return this.#transaction
  }

  /** True while SQL is under way: the only thing a handler may wait for. */
  get waitsForSql(): boolean {
    return this.#beginning || (this.#transaction !== null && this.#transaction.pending > 0)
  }

  newId(): string {
    return this.#core.newId()
  }

  async sql(): Promise<TenantSql> {
    this.#open()
    if (this.#transaction === null) {
      this.#beginning = true
      try {
        this.#transaction = await this.#core.store.begin(this.#fence)
      } finally {
        this.#beginning = false
      }
    }
    return this.#transaction.sql
  }

  tell<Kind extends string, M extends Messages, Name extends NamesOf<M, 'tell'>>(
    contract: Contract<Kind, M>,
    key: string | readonly string[],
    name: Name,
    input: InputOf<M[Name]>,
    options: TellFromHandler = {},
  ): void {
    this.#open()
    const spec = specOf(contract.messages, contract.kind, name, 'tell')
    const token = typeof key === 'string' ? encodeKey([key]) : encodeKey(key)
    const envelope = this.#envelopeFor(name, contract.version, parse(spec.input, input), options)
    const partition = partitionOf(this.tenant, contract.kind, token, contract.partitions)
    const subject = commandSubject(this.tenant, partition, contract.kind, token)
    const id = messageId(subject, options.id, envelope.id)
    this.#entries.push([Way.append, subject, id, encodeEnvelope(envelope), null])
  }

  emit(type: string, payload: unknown, options: EmitOptions): void {
    this.#open()
    if (type !== CONTROL_CHANGED) return this.#event(type, payload, options, null)
    // From this entry on, public words of an earlier owner are void (I7).
    const scope = options.scope ?? keyHead(this.#keyToken)
    const control = options.control ?? 0
    this.#openings.push({ scope, who: 'control', epoch: control })
    this.#event(type, payload, options, [scope, 'control', control])
  }

  /** The first words of an activation whose actor had spoken under an earlier epoch (I1). */
  openActivation(who: Address): void {
    const scope = keyHead(this.#keyToken)
    this.#openings.push({ scope, who, epoch: this.#fence.epoch })
    const opening: Opening = [scope, who, this.#fence.epoch]
    this.#event(ACTIVATION_OPENED, { node: this.#core.node }, { audience: 'sys' }, opening, who)
  }

  remind(name: string, at: number, payload: unknown = null): void {
    this.#open()
    this.#timers.set(name, { name, dueAt: Math.ceil(at), payload })
  }

  forget(name: string): void {
    this.#open()
    this.#timers.set(name, { name, dueAt: null })
  }

  spawn<Kind extends string, In, Out>(
    contract: SpawnedContract<Kind, In, Out>,
    key: readonly string[],
    input: In,
    options: TellFromHandler & { within?: Duration } = {},
  ): void {
    this.#open()
    const token = encodeKey(key)
    if (keyHead(token) !== keyHead(this.#keyToken)) {
      throw new WaggleError('BAD_NAME', {
        reason: `A child lives in its parent's partition: its key begins with ${keyHead(this.#keyToken)}.`,
      })
    }
    const address: Address = `${contract.kind}/${token}`
    if (this.#children().includes(address))
      throw new WaggleError('CONFLICT', {
        address,
        reason: 'A child of this key is at work: keys of runs are used once.',
      })
    const withinMs = milliseconds(options.within ?? contract.withinMs)
    const envelope = this.#envelopeFor(contract.kind, contract.version, parse(contract.input, input), options)
    const deadline = Math.min(envelope.deadline === 0 ? Infinity : envelope.deadline, this.now + withinMs)
    const bytes = encodeEnvelope({ ...envelope, deadline })
    this.#runs.push({
      change: 'start',
      run: {
        kind: contract.kind,
        key: token,
        parentKind: this.#fence.kind,
        parentKey: this.#keyToken,
        deadline,
        envelope: bytes,
      },
    })
  }

  stop(contract: SpawnedContract, key: readonly string[], reason: string): void {
    this.#open()
    this.stops.push({ address: `${contract.kind}/${encodeKey(key)}`, reason })
  }

  nudge(contract: SpawnedContract, key: readonly string[]): void {
    this.#open()
    this.nudges.push(`${contract.kind}/${encodeKey(key)}`)
  }

  /** The receipt of the command, when its sender waits for one. Returns what a repeated command is answered with. */
  receipt(answer: { readonly value: unknown } | { readonly error: WaggleError }): Uint8Array | null {
    const to = this.#envelope.receipt
    if (!isInbox(to)) return null
    const { epoch } = this.#fence
    let bytes = encodeReply(
      'error' in answer ? { kind: 'error', epoch, error: answer.error } : { kind: 'value', epoch, value: answer.value },
    )
    if (bytes.byteLength > MAX_PAYLOAD_BYTES)
      bytes = encodeReply({ kind: 'error', epoch, error: new WaggleError('TOO_LARGE', { bytes: bytes.byteLength }) })
    this.#entries.push([Way.publish, to, `${this.#row}-${this.#entries.length}`, bytes, null])
    return bytes
  }

  changeRun(change: RunChange): void {
    this.#runs.push(change)
  }

  /** What stands to be committed; `quiet` when it is nothing at all. */
  step(
    command: Step['command'],
    state: Step['state'],
    extra: { readonly deadLetter?: DeadLetter | null; readonly clearAttempts?: string | null } = {},
  ): { readonly step: Step; readonly entries: readonly Entry[]; readonly quiet: boolean } {
    this.#closed = true
    const { deadLetter = null, clearAttempts = null } = extra
    const said = this.#entries.length + this.#timers.size + this.#runs.length + this.stops.length
    const step: Step = {
      key: this.#keyToken,
      command,
      state,
      outbox: this.#entries.length === 0 ? null : { id: this.#row, entries: encodeEntries(this.#entries) },
      timers: [...this.#timers.values()],
      runs: this.#runs,
      openings: this.#openings,
      deadLetter,
      clearAttempts,
    }
    const quiet = said === 0 && state === null && deadLetter === null && this.#transaction === null
    return { step, entries: this.#entries, quiet }
  }

  /** Gives an open transaction back; for a handler that failed. */
  async abandon(): Promise<void> {
    this.#closed = true
    try {
      await this.#transaction?.rollback()
    } catch (error) {
      this.#core.log.warn({ address: this.address, code: coded(error).code }, 'a transaction could not be rolled back')
    }
  }

  #event(
    type: string,
    payload: unknown,
    options: EmitOptions,
    opens: Opening | null,
    by: Address = this.address,
  ): void {
    const id = options.id ?? `${this.#row}-${this.#entries.length}`
    const { epoch } = this.#fence
    const event = {
      id,
      type,
      version: 1,
      by,
      epoch,
      control: options.control ?? 0,
      at: this.now,
      trace: this.#envelope.trace,
      payload,
    }
    const subject = eventSubject(this.tenant, options.scope ?? keyHead(this.#keyToken), options.audience)
    this.#entries.push([Way.append, subject, messageId(subject, options.id, id), encodeEvent(event), opens])
  }

  #envelopeFor(type: string, version: number, payload: unknown, options: TellFromHandler): Envelope {
    const origin = this.#origin
    // Nobody waits for what is told or spawned.
    const chain = options.fresh === true ? [this.address] : origin.chain
    checkHops(chain)
    const principal = options.principal === undefined ? origin.principal : options.principal
    if (principal !== null && principal.tenant !== this.tenant)
      throw new WaggleError('FORBIDDEN', { reason: 'A message cannot leave its tenant.' })
    return {
      id: options.id ?? `${this.#row}-${this.#entries.length + this.#runs.length}`,
      type,
      version,
      tenant: this.tenant,
      from: this.address,
      chain: passed(chain),
      deadline: options.fresh === true ? 0 : origin.deadline,
      attempt: 1,
      epoch: origin.epoch,
      control: options.control ?? origin.control,
      principal,
      taint: options.taint ?? origin.taint,
      trace: origin.trace,
      at: this.now,
      receipt: '',
      payload,
    }
  }

  #open(): void {
    // A handler that goes on after it was refused must not speak any more.
    if (this.#closed)
      throw new WaggleError('AWAIT_IN_TRANSACTION', { reason: 'The handler is over; its context is closed.' })
  }
}

/** A receipt goes to a waiting inbox, never to an actor, a stream or the broker's own subjects, whatever a sender wrote. */
export function isInbox(subject: string): boolean {
  return subject !== '' && !/^(?:t\.|live\.|\$)/.test(subject)
}
