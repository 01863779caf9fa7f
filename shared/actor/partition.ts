import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import type { Address, Envelope } from '#shared/wire/envelope.ts'
import { ACTOR_CHANGED, LETTER_BURIED, encodeEvent } from '#shared/wire/event.ts'
import { keyHead } from '#shared/wire/names.ts'
import { eventSubject } from '#shared/wire/subjects.ts'
import type { Delivery } from '#shared/transport/port.ts'
import { Child, stopIn } from './child.ts'
import { Committer } from './committer.ts'
import type { ActorDefinition, ChildEnd, RunDefinition } from './definition.ts'
import type { Execution } from './execution.ts'
import type { FairQueue } from './fair.ts'
import { Intake } from './intake.ts'
import { Lane } from './lane.ts'
import type { LogShare } from './log-share.ts'
import type { HostCore } from './core.ts'
import type { Relay } from './outbox.ts'
import type { Reacher } from './reach.ts'
import type { DeadLetter, Fence, OutboxRow, RunChange, RunRow, Step, TimerRow } from './store.ts'
import { Timers } from './timers.ts'

/** What partitions of one node share. */
export interface NodeParts {
  readonly core: HostCore
  readonly relay: Relay
  readonly share: LogShare
  readonly handlers: FairQueue
  /** Transactions of group commit. */
  readonly commits: FairQueue
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
  readonly timers: Timers
  readonly intake: Intake
  readonly #parts: NodeParts
  readonly #end = new AbortController()
  readonly #lanes = new Map<string, Lane>()
  readonly #committers = new Map<string, Committer>()
  /** Until the end of each is written. */
  readonly #children = new Map<string, Child>()
  /** What the last holder left unsent, by lane, until its lane is made. */
  readonly #inherited = new Map<string, OutboxRow[]>()
  #beat: Cancel | null = null
  #closing = false
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
    this.intake = new Intake(this)
    this.timers = new Timers(parts.core, this.kind, partition, (row) => this.#fire(row))
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
    this.intake.listen()
    const stateless = this.definition.options.stateless === true
    const [unsent, runs] = stateless
      ? [[], []]
      : await Promise.all([
          core.store.unsent(this.kind, this.partition),
          core.store.unfinishedRuns(this.kind, this.partition),
        ])
    this.lost.throwIfAborted()
    this.#inherit(unsent)
    for (const row of runs) this.#startChild(row, true)
    if (!stateless) this.timers.look()
    this.intake.ready()
    await this.intake.consume(durables)
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
    if (this.lost.aborted) return
    this.#shut(error)
    this.#onLost(this, error)
  }

  /** Lets go in good order: takes nothing new, lets handlers (and runs, for at most `drainMs`) finish, gives the rest back. */
  async close(drainMs: number): Promise<void> {
    if (this.#closing || this.lost.aborted) return
    this.#closing = true
    await this.intake.pause()
    const { clock } = this.core
    const until = clock.elapsed() + drainMs
    const patience = (): number => Math.max(0, until - clock.elapsed())
    await this.#within(Promise.allSettled([...this.#children.values()].map((child) => child.ended)), patience())
    for (const child of this.#children.values()) child.leave()
    await this.#within(this.#quiet(), Math.max(patience(), MIN_QUIET_MS))
    if (this.lost.aborted) return
    this.#shut(new WaggleError('LEAVING'))
    await this.intake.leave()
  }

  committer(tenant: string): Committer {
    let committer = this.#committers.get(tenant)
    if (committer === undefined) {
      committer = new Committer(this.core, this.fence(tenant), this.#parts.commits)
      this.#committers.set(tenant, committer)
    }
    return committer
  }

  childrenOf(tenant: string, parent: Address): Address[] {
    const mine = (child: Child): boolean => !child.over && child.parent === parent && child.row.tenant === tenant
    return [...this.#children.values()].filter(mine).map((child) => child.address)
  }

  /** What a committed step starts, nudges and stops. */
  afterCommit(
    tenant: string,
    key: string,
    step: Step,
    {
      stops,
      nudges,
    }: {
      readonly stops: readonly { readonly address: Address; readonly reason: string }[]
      readonly nudges: readonly Address[]
    },
  ): void {
    if (this.lost.aborted) return
    for (const change of step.timers) this.timers.change(tenant, key, change)
    for (const change of step.runs) {
      if (change.change !== 'start') continue
      const fresh = { state: 'running', attempt: 1, restarts: [], result: null, error: null } as const
      this.#startChild({ ...change.run, tenant, partition: this.partition, ...fresh }, false)
    }
    for (const address of nudges) this.#children.get(childId(tenant, address))?.nudge()
    for (const { address, reason } of stops) this.#children.get(childId(tenant, address))?.stop(reason)
  }

  /** What stands in the row of a child from the step on that stops it; null when no such child is at work. */
  stopChange(tenant: string, address: Address, reason: string): RunChange | null {
    const child = this.#children.get(childId(tenant, address))
    return child === undefined || child.over ? null : child.stopChange(reason)
  }

  /** After a doubt: what was committed of an actor without our knowing. */
  takeUp(tenant: string, key: string, runs: readonly RunRow[]): void {
    this.timers.doubt(tenant, key)
    for (const row of runs) {
      const child = this.#children.get(childId(row.tenant, `${row.kind}/${row.key}`))
      const stop = stopIn(row)
      if (child === undefined) this.#startChild(row, true)
      else if (stop !== null) child.stop(stop)
    }
  }

  /** Writes how a child stands through its parent's lane, and opens our epoch for it before it says anything (I1). */
  writeChild(child: Child, change: () => RunChange, opens: boolean): Promise<void> {
    return this.#lane(child.row.tenant, child.row.parentKey).open({ who: child.address, change, opens })
  }

  /** The end of a child becomes an item of its parent: the row's last change and the parent's reaction are one transaction. */
  childEnded(
    child: Child,
    envelope: Envelope,
    end: ChildEnd,
    change: () => RunChange,
    buried: DeadLetter | null,
  ): void {
    if (this.lost.aborted) return
    const told = (): void => void this.#children.delete(childId(child.row.tenant, child.address))
    this.#lane(child.row.tenant, child.row.parentKey).push({ is: 'ended', envelope, end, change, letter: buried, told })
  }

  /** A child has put its parent down: the other children of the parent are stopped. */
  escalate(child: Child): void {
    this.announce(child.row.tenant, child.parent, 'crashed', `escalated by ${child.address}`)
    for (const other of this.#children.values()) {
      if (other !== child && other.parent === child.parent && other.row.tenant === child.row.tenant)
        other.stop('escalated')
    }
  }

  withdrawCall(tenant: string, key: string, id: string): boolean {
    return this.#lanes.get(laneId(tenant, key))?.withdraw(id) ?? false
  }

  /**
   * Says in the log, without a transaction, how an actor is doing; lost at worst. It is the node that says it: a word of
   * the actor itself before its epoch is opened would make void what an earlier holder has committed and not yet said.
   */
  announce(tenant: string, address: Address, state: string, reason = ''): void {
    if (this.lost.aborted) return
    const { core } = this
    const [kind = '', key = ''] = address.split('/')
    const mailbox = this.#lanes.get(laneId(tenant, key))?.depth ?? 0
    const id = core.newId()
    const by: Address = `system/${core.node}`
    const head = { id, type: ACTOR_CHANGED, version: 1, by, epoch: 0, control: 0, at: core.clock.now(), trace: '' }
    const bytes = encodeEvent({ ...head, payload: { kind, key, state, mailbox, node: core.node, reason } })
    core.events.append(eventSubject(tenant, keyHead(key), 'ops'), bytes, { messageId: id }).catch((error: unknown) => {
      core.log.debug({ address, code: coded(error).code }, 'a life sign was lost')
    })
  }

  sayBuried(execution: Execution, address: Address, letter: DeadLetter, type: string): void {
    const [kind = '', key = ''] = address.split('/')
    execution.emit(LETTER_BURIED, { letterId: letter.id, kind, key, type, code: letter.code }, { audience: 'ops' })
  }

  onCommand(tenant: string, key: string, envelope: Envelope, delivery: Delivery): void {
    this.#lane(tenant, key).push({ is: 'command', envelope, delivery })
  }
  onCall(tenant: string, key: string, envelope: Envelope, reply: string): void {
    this.#lane(tenant, key).push({ is: 'call', envelope, reply })
  }

  #fire(row: TimerRow): void {
    if (this.#closing || this.lost.aborted) return
    this.#lane(row.tenant, row.key).push({ is: 'timer', row, id: `timer:${this.core.newId()}` })
  }

  #lane(tenant: string, key: string): Lane {
    const id = laneId(tenant, key)
    let lane = this.#lanes.get(id)
    if (lane === undefined) {
      lane = new Lane(this, tenant, key, this.#inherited.get(id) ?? [])
      this.#inherited.delete(id)
      this.#lanes.set(id, lane)
      if (this.definition.options.stateless !== true) this.announce(tenant, lane.address, 'awake')
    }
    return lane
  }

  #startChild(row: RunRow, resumed: boolean): void {
    const child = new Child(this, this.#parts, row, resumed)
    this.#children.set(childId(row.tenant, child.address), child)
    child.start()
  }

  /**
   * Each actor first says what an earlier holder left unsaid of it; then its epoch is opened. Should that holder wake and
   * say it once more when the broker has forgotten the message ids, it is void for every reader (I1).
   */
  #inherit(rows: readonly OutboxRow[]): void {
    for (const row of rows) {
      const id = laneId(row.tenant, row.key)
      const own = this.#inherited.get(id)
      if (own === undefined) this.#inherited.set(id, [row])
      else own.push(row)
    }
    for (const [first] of Array.from(this.#inherited.values())) {
      if (first === undefined) continue
      this.#lane(first.tenant, first.key)
        .open(null)
        .catch(() => {})
    }
  }

  /** Keeps what is at work from being delivered again, and drops what sleeps. */
  #tick(): void {
    if (this.lost.aborted) return
    const { clock, limits } = this.core
    this.#beat = clock.setTimeout(
      () => {
        this.intake.beat()
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
      if (!lane.idle || lane.lastUsed > before || parents.has(id)) continue
      this.#lanes.delete(id)
      this.core.observe('activation:slept', { address: lane.address })
      if (this.definition.options.stateless !== true) this.announce(lane.tenant, lane.address, 'asleep')
    }
  }

  async #quiet(): Promise<void> {
    while (!this.lost.aborted && [...this.#lanes.values()].some((lane) => !lane.idle)) {
      await new Promise<void>((resolve) => void this.core.clock.setTimeout(resolve, QUIET_LOOK_MS))
    }
  }

  async #within(work: Promise<unknown>, ms: number): Promise<void> {
    let cancel: Cancel = () => {}
    const patience = new Promise<void>((resolve) => {
      cancel = this.core.clock.setTimeout(resolve, ms)
    })
    await Promise.race([work, patience])
    cancel()
  }

  #shut(error: WaggleError): void {
    this.#end.abort(error)
    this.#beat?.()
    this.intake.close()
    this.timers.close()
    for (const child of this.#children.values()) child.leave()
    for (const lane of this.#lanes.values()) lane.close()
    this.#children.clear()
    this.#lanes.clear()
    this.#inherited.clear()
    const { kind, partition, epoch } = this
    this.core.observe('partition:released', { kind, partition, epoch, reason: error.code })
  }
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
