import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { ActorDefinition } from './definition.ts'
import { Membership } from './membership.ts'
import type { NodeView } from './membership.ts'
import { HeldPartition } from './partition.ts'
import type { NodeParts } from './partition.ts'
import { COMMANDS, EVENTS } from './streams.ts'

/**
 * Which partitions this node holds. Every node computes the same owner of each partition from the nodes it believes
 * alive (rendezvous hashing: a join or a leave moves only what it must) and works towards it, one pass at a time:
 *
 * - wanted and not held: taken at once when its last holder is gone or no longer claims it, otherwise after
 *   `handoverMs`, so that a living holder can let go in good order;
 * - held and not wanted: closed (handlers finish, runs are left to the next holder);
 * - lost (a higher epoch): forgotten at once, and looked at again.
 */
export class Placement {
  readonly #parts: NodeParts
  readonly #definitions: ReadonlyMap<string, ActorDefinition>
  readonly #membership: Membership
  readonly #held = new Map<string, HeldPartition>()
  /** Since when (elapsed) we have wanted what a living node holds. */
  readonly #wantedSince = new Map<string, number>()
  #pass: Promise<void> | null = null
  #again = false
  #closing = false
  #retry: (() => void) | null = null
  #renewing = false

  constructor(parts: NodeParts, definitions: ReadonlyMap<string, ActorDefinition>) {
    this.#parts = parts
    this.#definitions = definitions
    this.#membership = new Membership(parts.core, () => this.reconcile())
  }

  get held(): ReadonlyMap<string, HeldPartition> {
    return this.#held
  }

  nodes(): NodeView[] {
    return this.#membership.live()
  }

  /** Whether this node is the one that looks after a log. */
  keepsLog(stream: string = EVENTS): boolean {
    // Those without actors have no store either.
    const names = this.#membership.live().flatMap(({ node, kinds }) => (kinds.length > 0 ? [node] : []))
    return !this.#closing && ownerOf(names, stream, 0) === this.#parts.core.node
  }

  async open(): Promise<void> {
    await this.#membership.join([...this.#definitions.keys()], () => this.#held.keys())
    this.reconcile()
    await this.#pass
  }

  /** Starts a pass, or another one after the one that is under way. */
  reconcile(): void {
    if (this.#closing) return
    this.#again = true
    this.#pass ??= (async () => {
      while (this.#again && !this.#closing) {
        this.#again = false
        try {
          await this.#work()
        } catch (error) {
          this.#parts.core.log.warn({ code: coded(error).code }, 'partitions could not be placed; trying again')
          this.#soon()
        }
      }
      this.#pass = null
    })()
  }

  /** Settles when the pass under way, if any, is over. */
  async settled(): Promise<void> {
    while (this.#pass !== null) await this.#pass
  }

  async close(drainMs: number): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#retry?.()
    await this.#membership.leave()
    await this.#pass
    await Promise.all([...this.#held].map(([name, held]) => this.#letGo(name, held, drainMs)))
    await this.#membership.close()
  }

  /** For a simulated kill: nothing is said or given back. */
  abandon(error: WaggleError): void {
    this.#closing = true
    this.#retry?.()
    this.#membership.abandon()
    for (const held of this.#held.values()) held.lose(error)
    this.#held.clear()
  }

  async #work(): Promise<void> {
    const { core } = this.#parts
    const nodes = this.#membership.live()
    const wanted = new Map<string, { definition: ActorDefinition; partition: number }>()
    for (const definition of this.#definitions.values()) {
      const { kind, partitions } = definition.contract
      const candidates = nodes.filter((node) => node.kinds.includes(kind)).map((node) => node.node)
      for (let partition = 0; partition < partitions; partition++) {
        if (ownerOf(candidates, kind, partition) === core.node)
          wanted.set(holdName(kind, partition), { definition, partition })
      }
    }
    const surplus = [...this.#held].filter(([name]) => !wanted.has(name))
    await Promise.all(surplus.map(([name, held]) => this.#letGo(name, held, core.limits.handoverMs / 2)))
    const rows = await core.store.holders()
    const holders = new Map(rows.map((row) => [holdName(row.kind, row.partition), row.holder]))
    // A holder that has nothing to commit would not notice that it was taken over, and go on answering.
    for (const { kind, partition, epoch } of rows) {
      const held = this.#held.get(holdName(kind, partition))
      if (held !== undefined && held.epoch < epoch)
        held.lose(new WaggleError('STALE_EPOCH', { mine: held.epoch, epoch }))
    }
    const missing = [...wanted].filter(([name]) => !this.#held.has(name))
    if (missing.length === 0) return
    const durables = await core.transport.consumers(COMMANDS)
    const ready = missing.filter(([name]) => this.#mayTake(name, holders.get(name)))
    if (ready.length < missing.length) this.#soon()
    let next = 0
    const worker = async (): Promise<void> => {
      for (let index = next++; index < ready.length && !this.#closing; index = next++) {
        const [name, { definition, partition }] = ready[index]!
        await this.#take(name, definition, partition, durables)
      }
    }
    await Promise.all(Array.from({ length: TAKE_AT_ONCE }, worker))
    await this.#membership.renew()
  }

  /** Says of each at once that it is free; one that drains long does not keep the others from their next holder. */
  async #letGo(name: string, held: HeldPartition, drainMs: number): Promise<void> {
    await held.close(drainMs)
    if (this.#held.get(name) === held) this.#held.delete(name)
    if (this.#renewing) return
    this.#renewing = true
    this.#parts.core.clock.setTimeout(() => {
      this.#renewing = false
      void this.#membership.renew()
    }, RENEW_TOGETHER_MS)
  }

  #mayTake(name: string, holder: string | undefined): boolean {
    const { core } = this.#parts
    if (holder === undefined || holder === core.node || !this.#membership.claims(holder, name)) {
      this.#wantedSince.delete(name)
      return true
    }
    const since = this.#wantedSince.get(name)
    if (since === undefined) this.#wantedSince.set(name, core.clock.elapsed())
    return since !== undefined && core.clock.elapsed() - since >= core.limits.handoverMs
  }

  async #take(
    name: string,
    definition: ActorDefinition,
    partition: number,
    durables: readonly string[],
  ): Promise<void> {
    const { core } = this.#parts
    const { kind } = definition.contract
    let held: HeldPartition | null = null
    try {
      const epoch = await core.store.claim(kind, partition, core.node)
      held = new HeldPartition(this.#parts, definition, partition, epoch, (lost, error) =>
        this.#onLost(name, lost, error),
      )
      this.#held.set(name, held)
      this.#wantedSince.delete(name)
      await held.open(durables)
    } catch (error) {
      const failure = coded(error)
      core.log.warn(
        { kind, partition, code: failure.code, reason: failure.message },
        'a partition could not be taken; trying again',
      )
      held?.lose(failure)
      this.#soon()
    }
  }

  #onLost(name: string, lost: HeldPartition, error: WaggleError): void {
    if (this.#held.get(name) === lost) this.#held.delete(name)
    this.#parts.core.log.info({ partition: name, epoch: lost.epoch, code: error.code }, 'a partition was lost')
    this.#soon()
  }

  #soon(): void {
    if (this.#retry !== null || this.#closing) return
    const { clock, limits } = this.#parts.core
    this.#retry = clock.setTimeout(() => {
      this.#retry = null
      this.reconcile()
    }, limits.leaseMs / RETRIES_PER_LEASE)
  }
}

const TAKE_AT_ONCE = 8
const RENEW_TOGETHER_MS = 10
const RETRIES_PER_LEASE = 12

export function holdName(kind: string, partition: number): string {
  return `${kind}/${partition}`
}

/** Highest random weight (Thaler and Ravishankar, 1998). */
export function ownerOf(nodes: readonly string[], kind: string, partition: number): string | null {
  let best: string | null = null
  let bestWeight = -1
  for (const node of nodes) {
    const weight = weigh(`${node}/${kind}/${partition}`)
    if (weight > bestWeight || (weight === bestWeight && best !== null && node > best)) {
      best = node
      bestWeight = weight
    }
  }
  return best
}

function weigh(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
