import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Cancel, Clock } from '#shared/lib/clock.ts'
import { idFactory } from '#shared/lib/ids.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import type { Logger } from '#shared/lib/logger.ts'
import { unpack } from '#shared/wire/codec.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import type { InboundMessage, Subscription, Transport } from '#shared/transport/port.ts'
import { CANCEL, Calls } from './calls.ts'
import type { Core, HostCore } from './core.ts'
import { TenantCredit } from './credit.ts'
import type { ActorDefinition, Definition, PoolDefinition, RunDefinition } from './definition.ts'
import { FairQueue } from './fair.ts'
import { DEFAULT_LIMITS, DEFAULT_TERMS } from './limits.ts'
import type { Limits, Terms } from './limits.ts'
import { EventLog } from './event-log.ts'
import { LogShare } from './log-share.ts'
import { Logs } from './logs.ts'
import { Membership } from './membership.ts'
import type { NodeView } from './membership.ts'
import { observeNothing } from './observe.ts'
import type { Observe } from './observe.ts'
import { Relay } from './outbox.ts'
import type { NodeParts } from './partition.ts'
import { Placement } from './placement.ts'
import { HostedPool, LocalPools } from './pools.ts'
import { Reacher } from './reach.ts'
import type { Reach } from './ref.ts'
import type { Store } from './store.ts'
import { DEFAULT_STREAMS, streamSpecs } from './streams.ts'
import { Undelivered } from './undelivered.ts'
import type { StreamOptions } from './streams.ts'

export interface SystemParts {
  readonly transport: Transport
  /** Needed only to host virtual actors: the edge has none. */
  readonly store?: Store
  readonly node?: string
  readonly clock?: Clock
  readonly random?: () => number
  readonly limits?: Partial<Limits>
  readonly terms?: Partial<Terms>
  readonly streams?: Partial<StreamOptions>
  readonly log?: Logger
  readonly observe?: Observe
  /** Says to the others that it is there, though it hosts no actors: for those whose loss must be noticed (the edge). */
  readonly attend?: boolean
}

/**
 * One node of the actor system: what one process hosts and whom it can reach. `host` what it shall serve, `start`, and
 * `stop` to leave in good order (SIGTERM): nothing new is taken, what is at work may finish, the rest goes to others.
 */
export class ActorSystem {
  readonly node: string
  readonly #core: Core
  readonly #store: Store | null
  readonly #streams: StreamOptions
  readonly #terms: Terms
  readonly #calls: Calls
  readonly #share: LogShare
  readonly #local = new LocalPools()
  readonly #reacher: Reacher
  readonly #actors = new Map<string, ActorDefinition>()
  readonly #runs = new Map<string, RunDefinition>()
  readonly #poolDefinitions: PoolDefinition[] = []
  #pools: HostedPool[] = []
  #signals: Subscription[] = []
  #placement: Placement | null = null
  readonly #attend: boolean
  #presence: Membership | null = null
  #relay: Relay | null = null
  #logs: Logs | null = null
  #undelivered: Undelivered | null = null
  #sweep: Cancel | null = null
  #started = false
  #stopped: Promise<void> | null = null

  constructor(parts: SystemParts) {
    const clock = parts.clock ?? systemClock
    const random = parts.random ?? Math.random
    const newId = idFactory(() => clock.now(), random)
    const limits = { ...DEFAULT_LIMITS, ...parts.limits }
    if (limits.mailbox * 2 > limits.window) {
      throw new WaggleError('CONFIG', {
        reason: `mailbox (${limits.mailbox}) may be at most half of window (${limits.window}): one actor must not fill a partition.`,
      })
    }
    this.node = parts.node ?? `node-${newId()}`
    this.#core = {
      node: this.node,
      transport: parts.transport,
      events: new EventLog(parts.transport, clock),
      clock,
      random,
      newId,
      limits,
      log: parts.log ?? silentLogger,
      observe: parts.observe ?? observeNothing,
    }
    this.#store = parts.store ?? null
    this.#attend = parts.attend ?? false
    this.#terms = { ...DEFAULT_TERMS, ...parts.terms }
    this.#streams = { ...DEFAULT_STREAMS, ...parts.streams }
    this.#calls = new Calls(this.#core)
    this.#share = new LogShare(this.#core)
    this.#reacher = new Reacher(this.#core, this.#calls, new TenantCredit(this.#core), this.#share, this.#local)
  }

  host(...definitions: readonly Definition[]): this {
    if (this.#started) throw new WaggleError('CONFIG', { reason: 'host() comes before start().' })
    for (const definition of definitions) {
      const { form, kind } = definition.contract
      if (this.#actors.has(kind) || this.#runs.has(kind))
        throw new WaggleError('CONFIG', { reason: `The kind ${kind} is hosted twice.` })
      if (form === 'virtual') this.#actors.set(kind, definition as ActorDefinition)
      else if (form === 'spawned') this.#runs.set(kind, definition as RunDefinition)
      else this.#poolDefinitions.push(definition as PoolDefinition)
    }
    return this
  }

  async start(): Promise<this> {
    this.#started = true
    const { transport, limits, clock } = this.#core
    for (const spec of streamSpecs(limits, this.#streams)) await transport.ensureStream(spec)
    const core: HostCore | null = this.#store === null ? null : { ...this.#core, store: this.#store }
    if (core !== null) {
      this.#relay = new Relay(core, this.#share)
      this.#logs = new Logs({
        core,
        relay: this.#relay,
        streams: this.#streams,
        nodes: () => this.nodes(),
        mine: (stream) => this.#placement?.keepsLog(stream) ?? false,
      })
      await this.#logs.open()
    }
    // Not before the logs are known: one of them answers whoever asks for them.
    for (const definition of this.#stopped === null ? this.#poolDefinitions : []) {
      const pool = new HostedPool(this.#core, this.#reacher, definition)
      this.#pools.push(pool)
      this.#local.add(pool)
      pool.open()
    }
    if (core !== null && this.#relay !== null) {
      if (this.#actors.size > 0) await this.#hostActors(core, this.#relay)
      this.#undelivered = new Undelivered(core, () => this.#placement?.keepsLog() ?? false)
      if (this.#stopped === null) this.#undelivered.open()
      if (this.#stopped === null) this.#sweep = clock.setTimeout(() => void this.#sweepOld(), SWEEP_FIRST_MS)
    } else if (this.#actors.size > 0) {
      throw new WaggleError('CONFIG', { reason: 'Virtual actors need a store.' })
    }
    if (this.#attend && this.#actors.size === 0 && this.#stopped === null) {
      this.#presence = new Membership(this.#core, () => {})
      await this.#presence.join([], () => [])
    }
    return this
  }

  /** Whom this principal can reach: refs into its own tenant only (I9). */
  reach(principal: Principal, trace = ''): Reach {
    return this.#reacher.outside(principal, trace)
  }

  /** The logs of events there are; only on a node with a store (CONFIG). */
  get logs(): Logs {
    if (this.#logs === null)
      throw new WaggleError('CONFIG', { reason: 'Logs are known to nodes with a store, once started.' })
    return this.#logs
  }

  /** The incarnation of the shared log of events; empty on a node without a store. */
  get incarnation(): string {
    return this.#logs?.incarnation ?? ''
  }

  /** The nodes that seem alive and what they hold. */
  nodes(): NodeView[] {
    return this.#placement?.nodes() ?? []
  }

  /** Whether a node seems to be there. Only a suggestion: reads may be stale. */
  isAlive(node: string): boolean {
    return this.nodes().some((other) => other.node === node)
  }

  /** What this node keeps in memory: zero of everything but partitions when all sleeps. */
  census(): { partitions: number; activations: number; runs: number; calls: number } {
    let activations = 0
    let runs = 0
    const held = this.#placement?.held ?? new Map<string, never>()
    for (const partition of held.values()) {
      activations += partition.lanes
      runs += partition.children
    }
    return { partitions: held.size, activations, runs, calls: this.#calls.open }
  }

  /** Settles when every partition that should be held here is, as far as is known now. */
  async placed(): Promise<void> {
    await this.#placement?.settled()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** Ends at once and says nothing to anybody, as a killed process would. For tests of what happens then. */
  abandon(): void {
    const error = new WaggleError('LEAVING')
    this.#stopped ??= Promise.resolve()
    this.#sweep?.()
    this.#share.close()
    this.#logs?.close()
    this.#undelivered?.close()
    this.#placement?.abandon(error)
    this.#presence?.abandon()
    for (const pool of this.#pools) void pool.close(0)
    for (const signal of this.#signals) signal.unsubscribe()
  }

  async #hostActors(core: HostCore, relay: Relay): Promise<void> {
    const { limits, clock, transport } = core
    await core.store.declare(
      [...this.#actors.values()].map(({ contract: { kind, partitions } }) => ({ kind, partitions })),
    )
    const parts: NodeParts = {
      core,
      relay,
      share: this.#share,
      handlers: new FairQueue(limits.handlers, clock),
      commits: new FairQueue(limits.commits, clock),
      runSlots: new FairQueue(limits.runs, clock),
      reacher: this.#reacher,
      runs: this.#runs,
    }
    this.#placement = new Placement(parts, this.#actors)
    for (const kind of this.#actors.keys())
      this.#signals.push(transport.subscribe(filters.signals(kind), (message) => this.#onSignal(message)))
    await this.#placement.open()
  }

  /** A cancelled call that has not begun leaves the mailbox. */
  #onSignal(message: InboundMessage): void {
    try {
      const subject = parseSubject(message.subject)
      const signal = unpack(message.data)
      if (subject.lane !== 'sig' || !Array.isArray(signal) || signal[1] !== CANCEL || typeof signal[2] !== 'string')
        return
      for (const held of this.#placement?.held.values() ?? []) {
        if (held.kind === subject.kind && held.withdrawCall(subject.tenant, subject.key, signal[2])) return
      }
    } catch (error) {
      this.#core.log.debug({ subject: message.subject, code: coded(error).code }, 'a signal could not be read')
    }
  }

  async #sweepOld(): Promise<void> {
    const { clock, limits, log } = this.#core
    let rows = 0
    try {
      rows =
        (await this.#store?.sweep({
          processed: clock.now() - limits.processedMs - PROCESSED_SLACK_MS,
          relayed: clock.now() - limits.relayedMs,
        })) ?? 0
      rows += await this.#retire()
    } catch (error) {
      log.debug({ code: coded(error).code }, 'old rows could not be swept; later')
    }
    if (this.#stopped === null)
      this.#sweep = clock.setTimeout(() => void this.#sweepOld(), rows > 0 ? SWEEP_FIRST_MS : SWEEP_EVERY_MS)
  }

  /** One node does it: what goes is the same, whoever looks. */
  async #retire(): Promise<number> {
    if (this.#store === null || this.#placement?.keepsLog() !== true) return 0
    const retired = await this.#store.retire(this.#core.clock.now(), this.#terms)
    for (const [what, rows] of Object.entries(retired)) if (rows > 0) this.#core.observe('rows:retired', { what, rows })
    return Object.values(retired).reduce((sum: number, rows: number) => sum + rows, 0)
  }

  async #stop(): Promise<void> {
    this.#sweep?.()
    this.#undelivered?.close()
    await this.#placement?.close(this.#core.limits.drainMs)
    await this.#presence?.close()
    for (const signal of this.#signals) signal.unsubscribe()
    for (const pool of this.#pools) this.#local.remove(pool)
    await Promise.all(this.#pools.map((pool) => pool.close(this.#core.limits.drainMs)))
    this.#pools = []
    // What waits for a log that is being moved is left to the next holder.
    this.#logs?.close()
    await this.#relay?.flush()
    this.#share.close()
  }
}

const SWEEP_FIRST_MS = 60_000
const SWEEP_EVERY_MS = 600_000
/** A command is refused as too old before its id is forgotten. */
const PROCESSED_SLACK_MS = 3_600_000
