import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { decodeEnvelope } from '#shared/wire/envelope.ts'
import type { Address, Envelope } from '#shared/wire/envelope.ts'
import { ACTOR_CHANGED, LETTER_BURIED, encodeEvent } from '#shared/wire/event.ts'
import { keyHead } from '#shared/wire/names.ts'
import { eventSubject, filters, parseSubject } from '#shared/wire/subjects.ts'
import type { Consumption, Delivery, InboundMessage, Subscription } from '#shared/transport/port.ts'
import { Child } from './child.ts'
import { Committer } from './committer.ts'
import type { ActorDefinition, RunDefinition } from './definition.ts'
import type { Execution } from './execution.ts'
import type { FairQueue } from './fair.ts'
import { Lane } from './lane.ts'
import type { HostCore } from './core.ts'
import type { Relay } from './outbox.ts'
import type { Reacher } from './reach.ts'
import type { DeadLetter, Fence, OutboxRow, RunChange, RunRow, Step, TimerRow } from './store.ts'
import { Timers } from './timers.ts'
import { COMMANDS } from './streams.ts'

/** What partitions of one node share. */
export interface NodeParts {
  readonly core: HostCore
  readonly relay: Relay
  readonly handlers: FairQueue
  readonly runSlots: FairQueue
  readonly reacher: Reacher
  readonly runs: ReadonlyMap<string, RunDefinition>
}

/**
 * One held partition of one kind: from the epoch minted for it to its loss or release. It owns the durable consumer, the
 * call subscription, the lanes (activations), the children and the timers of its actors.
 *
 * Opening, in this order (I4): epoch, then what the last holder left (unsent outbox rows, unfinished runs, timers), then
 * lower-epoch consumers are deleted and our own begins. Modes: *opening* -> *open* -> *closing* (nothing new is begun,
 * what is at work may finish) -> *closed*. `lost` aborts at once when a higher epoch is known (STALE_EPOCH, the consumer
 * deleted by another): everything unfinished here is dropped; the next holder has it from the store and the stream.
 */
export class HeldPartition {
  readonly kind: string
  readonly partition: number
  readonly epoch: number
  readonly definition: ActorDefinition
  readonly core: HostCore
  readonly relay: Relay
  readonly handlers: FairQueue
  /** Commands up to this stream sequence may have been begun by an earlier holder. */
  mark = 0
  readonly #parts: NodeParts
  readonly #end = new AbortController()
  readonly #lanes = new Map<string, Lane>()
  readonly #committers = new Map<string, Committer>()
  readonly #children = new Map<string, Child>()
  readonly #outstanding = new Set<Delivery>()
  readonly #timers: Timers
  #consumption: Consumption | null = null
  #calls: Subscription | null = null
  #beat: Cancel | null = null
  #closing = false
  #recovering: Promise<void> | null = null
  readonly #onLost: (held: HeldPartition, error: WaggleError) => void

  constructor(
    parts: NodeParts,
    definition: ActorDefinition,
    partition: number,
    epoch: number,
    onLost: (held: HeldPartition, error: WaggleError) => void,
  ) {
    this.#parts = parts
    this.core = parts.core
    this.relay = parts.relay
    this.handlers = parts.handlers
    this.definition = definition
    this.kind = definition.contract.kind
    this.partition = partition
    this.epoch = epoch
    this.#onLost = onLost
    this.#timers = new Timers(parts.core, this.kind, partition, (row) => this.#fire(row))
  }

  get lost(): AbortSignal {
    return this.#end.signal
  }
  get lanes(): number {
    return this.#lanes.size
  }
  get children(): number {
    return this.#children.size
  }
  fence(tenant: string): Fence {
    return { tenant, kind: this.kind, partition: this.partition, epoch: this.epoch }
  }

  /** @param durables consumers of the command stream that exist: those of lower epochs of this partition are deleted */
  async open(durables: readonly string[]): Promise<void> {
    const { core } = this
    const started = core.clock.elapsed()
    this.#calls = core.transport.subscribe(filters.calls(this.partition, this.kind), (message) => this.#onCall(message))
    const stateless = this.definition.options.stateless === true
    const [unsent, runs] = stateless
      ? [[], []]
      : await Promise.all([
          core.store.unsent(this.kind, this.partition),
          core.store.unfinishedRuns(this.kind, this.partition),
        ])
    await this.#resend(unsent)
    for (const row of runs) this.#adoptRun(row)
    if (!stateless) await this.#timers.open()
    const prefix = durableName(this.kind, this.partition, '')
    for (const name of durables) {
      if (name.startsWith(prefix) && Number(name.slice(prefix.length)) < this.epoch)
        await core.transport.deleteConsumer(COMMANDS, name)
    }
    this.mark = (await core.transport.streamInfo(COMMANDS)).lastSequence
    this.lost.throwIfAborted()
    this.#consumption = await core.transport.consume(
      {
        stream: COMMANDS,
        durable: durableName(this.kind, this.partition, this.epoch),
        filter: filters.commands(this.partition, this.kind),
        ackWaitMs: core.limits.ackWaitMs,
        maxUnacknowledged: core.limits.window,
      },
      (delivery) => this.#onCommand(delivery),
    )
    void this.#consumption.lost.then((error) => this.lose(error))
    this.#tick()
    core.observe('partition:acquired', {
      kind: this.kind,
      partition: this.partition,
      epoch: this.epoch,
      resumedRuns: runs.length,
      unsent: unsent.length,
      ms: core.clock.elapsed() - started,
    })
  }

  /** A higher epoch is known: stop at once. Idempotent. */
  lose(error: WaggleError): void {
    if (this.#end.signal.aborted) return
    this.#end.abort(error)
    this.#shut()
    this.core.observe('partition:released', {
      kind: this.kind,
      partition: this.partition,
      epoch: this.epoch,
      reason: error.code,
    })
    this.#onLost(this, error)
  }

  /** Lets go in good order: takes nothing new, lets handlers (and runs, for at most `drainMs`) finish, gives the rest back. */
  async close(drainMs: number): Promise<void> {
    if (this.#closing || this.#end.signal.aborted) return
    this.#closing = true
    this.#calls?.unsubscribe()
    await this.#consumption?.stop()
    const { clock } = this.core
    const until = clock.elapsed() + drainMs
    const patience = (): number => Math.max(0, until - clock.elapsed())
    await this.#within(Promise.allSettled([...this.#children.values()].map((child) => child.ended)), patience())
    for (const child of this.#children.values()) child.leave()
    await this.#within(this.#quiet(), Math.max(patience(), MIN_QUIET_MS))
    this.#end.abort(new WaggleError('LEAVING'))
    this.#shut()
    await this.core.transport
      .deleteConsumer(COMMANDS, durableName(this.kind, this.partition, this.epoch))
      .catch((error: unknown) => {
        this.core.log.debug({ code: coded(error).code }, 'the consumer could not be deleted; the next holder does it')
      })
    this.core.observe('partition:released', {
      kind: this.kind,
      partition: this.partition,
      epoch: this.epoch,
      reason: 'LEAVING',
    })
  }

  committer(tenant: string): Committer {
    let committer = this.#committers.get(tenant)
    if (committer === undefined) {
      committer = new Committer(this.core, this.fence(tenant))
      this.#committers.set(tenant, committer)
    }
    return committer
  }

  childrenOf(parent: Address): Address[] {
    const found: Address[] = []
    for (const child of this.#children.values()) if (child.parent === parent) found.push(child.address)
    return found
  }

  /** What a committed step starts and stops. */
  afterCommit(lane: Lane, step: Step, stops: readonly { readonly address: Address; readonly reason: string }[]): void {
    if (this.lost.aborted) return
    for (const change of step.timers) this.#timers.change(lane.tenant, lane.keyToken, change)
    for (const change of step.runs) {
      if (change.change === 'start') {
        const row: RunRow = {
          ...change.run,
          tenant: lane.tenant,
          partition: this.partition,
          state: 'running',
          attempt: 1,
          restarts: [],
          result: null,
          error: null,
        }
        this.#startChild(row, false)
      }
    }
    for (const stop of stops) this.#children.get(childId(lane.tenant, stop.address))?.stop(stop.reason)
  }

  /** Writes that a child goes on, under our epoch, before it says anything (I1). */
  reopenChild(child: Child, change: RunChange): Promise<void> {
    return this.#lane(child.row.tenant, child.row.parentKey).open({ who: child.address, change })
  }

  /** The end of a child becomes an item of its parent: the row's last change and the parent's reaction are one transaction. */
  childEnded(child: Child, item: Extract<Parameters<Lane['push']>[0], { is: 'ended' }>): void {
    this.#lane(child.row.tenant, child.row.parentKey).push(item)
  }
  forgetChild(child: Child): void {
    this.#children.delete(childId(child.row.tenant, child.address))
  }

  /** A child has put its parent down: its other children are stopped, its state is read anew. */
  escalate(child: Child): void {
    this.announce(child.row.tenant, child.parent, 'crashed', `escalated by ${child.address}`)
    for (const other of this.#children.values()) {
      if (other !== child && other.parent === child.parent && other.row.tenant === child.row.tenant)
        other.stop('escalated')
    }
    this.#lanes.get(laneId(child.row.tenant, child.row.parentKey))?.reset()
  }

  /** After a doubt about the database: rows that were committed without our knowing are relayed. */
  recoverUnsent(): Promise<void> {
    this.#recovering ??= (async () => {
      try {
        await Promise.allSettled([...this.#lanes.values()].map((lane) => lane.relayed))
        await this.relay.flush()
        await this.#resend(await this.core.store.unsent(this.kind, this.partition))
        for (const row of await this.core.store.unfinishedRuns(this.kind, this.partition)) this.#adoptRun(row)
        this.#timers.reopen()
      } catch (error) {
        this.core.log.warn(
          { kind: this.kind, partition: this.partition, code: coded(error).code },
          'unsent rows could not be read yet',
        )
      } finally {
        this.#recovering = null
      }
    })()
    return this.#recovering
  }

  withdrawCall(tenant: string, key: string, id: string): boolean {
    return this.#lanes.get(laneId(tenant, key))?.withdraw(id) ?? false
  }

  /** Says in the log, without a transaction, how an actor is doing; lost at worst. */
  announce(tenant: string, address: Address, state: string, reason = ''): void {
    const [kind = '', key = ''] = address.split('/')
    const mailbox = this.#lanes.get(laneId(tenant, key))?.depth ?? 0
    this.#say(tenant, address, { kind, key, state, mailbox, node: this.core.node, reason })
  }

  sayBuried(execution: Execution, lane: Lane, letter: DeadLetter, type: string): void {
    const [kind = '', key = ''] = lane.address.split('/')
    execution.emit(LETTER_BURIED, { letterId: letter.id, kind, key, type, code: letter.code }, { audience: 'ops' })
  }

  #say(tenant: string, by: Address, payload: { key: string } & Record<string, unknown>): void {
    if (this.lost.aborted) return
    const id = this.core.newId()
    const bytes = encodeEvent({
      id,
      type: ACTOR_CHANGED,
      version: 1,
      by,
      epoch: this.epoch,
      control: 0,
      at: this.core.clock.now(),
      trace: '',
      payload,
    })
    this.core.transport
      .append(eventSubject(tenant, keyHead(payload.key), 'ops'), bytes, { messageId: id })
      .catch((error: unknown) => {
        this.core.log.debug({ by, code: coded(error).code }, 'a life sign was lost')
      })
  }

  #onCommand(delivery: Delivery): void {
    if (this.#closing || this.lost.aborted) return
    const tracked = this.#track(delivery)
    try {
      const subject = parseSubject(delivery.subject)
      if (subject.lane !== 'cmd') throw new WaggleError('BAD_SUBJECT', { subject: delivery.subject })
      const envelope = decodeEnvelope(delivery.data)
      // The tenant of the subject is proved by the broker's permissions; an envelope that says another is a forgery (I9).
      if (envelope.tenant !== subject.tenant)
        throw new WaggleError('UNDECODABLE', { reason: 'The envelope names another tenant than the subject.' })
      this.#lane(subject.tenant, subject.key).push({ is: 'command', envelope, delivery: tracked })
    } catch (error) {
      void this.#buryUndecodable(tracked, coded(error))
    }
  }

  async #buryUndecodable(delivery: Delivery, error: WaggleError): Promise<void> {
    const { store, newId, clock, log } = this.core
    const at = clock.now()
    const tenant = /^t\.([a-z0-9-]{1,120})\./.exec(delivery.subject)?.[1] ?? '-'
    try {
      await store.bury({
        id: newId(),
        tenant,
        subject: delivery.subject,
        payload: delivery.data,
        code: error.code,
        message: error.message,
        attempts: 1,
        history: [{ code: error.code, message: error.message, at }],
        trace: '',
        at,
      })
      delivery.ack()
    } catch (failure) {
      // Not acknowledged: it comes again, nothing is lost.
      log.error({ subject: delivery.subject, code: coded(failure).code }, 'an undecodable message could not be buried')
      this.#outstanding.delete(delivery)
    }
  }

  #onCall(message: InboundMessage): void {
    if (this.#closing || this.lost.aborted) return
    let envelope: Envelope
    try {
      const subject = parseSubject(message.subject)
      envelope = decodeEnvelope(message.data)
      if (subject.lane !== 'call' || envelope.tenant !== subject.tenant) return
      this.#lane(subject.tenant, subject.key).push({ is: 'call', envelope, reply: message.reply })
    } catch (error) {
      this.core.log.warn({ subject: message.subject, code: coded(error).code }, 'a call could not be read')
    }
  }

  #fire(row: TimerRow): void {
    if (!this.#closing && !this.lost.aborted) this.#lane(row.tenant, row.key).push({ is: 'timer', row })
  }

  #lane(tenant: string, key: string): Lane {
    const id = laneId(tenant, key)
    let lane = this.#lanes.get(id)
    if (lane === undefined) {
      lane = new Lane(this, tenant, key)
      this.#lanes.set(id, lane)
      if (this.definition.options.stateless !== true) this.announce(tenant, lane.address, 'awake')
    }
    return lane
  }

  #adoptRun(row: RunRow): void {
    if (!this.#children.has(childId(row.tenant, `${row.kind}/${row.key}`))) this.#startChild(row, true)
  }

  #startChild(row: RunRow, resumed: boolean): void {
    const child = new Child(this, this.#parts, row, resumed)
    this.#children.set(childId(row.tenant, child.address), child)
    child.start()
  }

  async #resend(rows: readonly OutboxRow[]): Promise<void> {
    const byActor = new Map<string, OutboxRow[]>()
    for (const row of rows) {
      const id = laneId(row.tenant, row.key)
      byActor.set(id, [...(byActor.get(id) ?? []), row])
    }
    const sendInOrder = async (own: OutboxRow[]): Promise<void> => {
      for (const row of own) await this.relay.sendRow(row, this.lost)
    }
    await Promise.all([...byActor.values()].map(sendInOrder))
    // Our epoch is opened after what the last holder left unsaid: should it wake and send that again when the broker has
    // forgotten the message ids, it is void for every reader (I1).
    for (const own of byActor.values())
      void this.#lane(own[0]!.tenant, own[0]!.key)
        .open(null)
        .catch(() => {})
  }

  #track(delivery: Delivery): Delivery {
    const { subject, data, sequence, deliveries } = delivery
    const tracked: Delivery = {
      subject,
      data,
      sequence,
      deliveries,
      ack: () => {
        this.#outstanding.delete(tracked)
        // An ack after the loss would be without effect at the broker, and must not even be tried (I1).
        if (!this.lost.aborted) delivery.ack()
      },
      working: () => delivery.working(),
    }
    this.#outstanding.add(tracked)
    return tracked
  }

  /** Keeps what is at work from being delivered again, and drops what sleeps. */
  #tick(): void {
    const { clock, limits } = this.core
    this.#beat = clock.setTimeout(
      () => {
        for (const delivery of this.#outstanding) delivery.working()
        this.#passivate()
        for (const [tenant, committer] of this.#committers) if (committer.idle) this.#committers.delete(tenant)
        this.#tick()
      },
      Math.min(limits.ackWaitMs / 3, Math.max(MIN_TICK_MS, this.definition.sleepAfterMs / 4)),
    )
  }

  #passivate(): void {
    const before = this.core.clock.elapsed() - this.definition.sleepAfterMs
    const parents = new Set<string>()
    for (const child of this.#children.values()) parents.add(laneId(child.row.tenant, child.row.parentKey))
    for (const [id, lane] of this.#lanes) {
      if (lane.idle && lane.lastUsed <= before && !parents.has(id)) {
        this.#lanes.delete(id)
        this.core.observe('activation:slept', { address: lane.address })
        if (this.definition.options.stateless !== true) this.announce(lane.tenant, lane.address, 'asleep')
      }
    }
  }

  async #quiet(): Promise<void> {
    while (!this.lost.aborted && [...this.#lanes.values()].some((lane) => !lane.idle)) {
      await new Promise<void>((resolve) => void this.core.clock.setTimeout(resolve, QUIET_LOOK_MS))
    }
    await Promise.allSettled([...this.#lanes.values()].map((lane) => lane.relayed))
  }

  async #within(work: Promise<unknown>, ms: number): Promise<void> {
    let cancel: Cancel = () => {}
    const patience = new Promise<void>((resolve) => {
      cancel = this.core.clock.setTimeout(resolve, ms)
    })
    await Promise.race([work, patience])
    cancel()
  }

  #shut(): void {
    this.#beat?.()
    this.#calls?.unsubscribe()
    void this.#consumption?.stop().catch(() => {})
    this.#timers.close()
    for (const child of this.#children.values()) child.leave()
    this.#children.clear()
    this.#lanes.clear()
    this.#outstanding.clear()
  }
}

/** Deterministic, with the epoch: what makes a stale holder's consumer recognisable and deletable (I1). */
export function durableName(kind: string, partition: number, epoch: number | ''): string {
  return `${kind}-${partition}-e${epoch}`
}

const MIN_QUIET_MS = 500
const MIN_TICK_MS = 50
const QUIET_LOOK_MS = 5

function laneId(tenant: string, key: string): string {
  return `${tenant}/${key}`
}
function childId(tenant: string, address: Address): string {
  return `${tenant}/${address}`
}
