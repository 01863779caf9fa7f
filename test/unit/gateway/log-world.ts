import { LogReader } from '#gateway/log/log-reader.ts'
import { EventLog } from '#shared/actor/event-log.ts'
import type { LogPlace } from '#shared/actor/event-log.ts'
import { DEFAULT_STREAMS, EVENTS, ownLogSpec, ownStream } from '#shared/actor/streams.ts'
import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import type { LogClient } from './log-client.ts'
import type { Keeper } from '#gateway/log/floors-book.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { seededRandom } from '#shared/lib/random.ts'
import { Metrics } from '#shared/telemetry/metrics.ts'
import { memoryBroker } from '#shared/transport/memory.ts'
import type { MemoryBroker } from '#shared/transport/memory.ts'
import type { Transport } from '#shared/transport/port.ts'
import type { Address, Principal } from '#shared/wire/envelope.ts'
import { encodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { encodeName } from '#shared/wire/names.ts'
import { eventSubject } from '#shared/wire/subjects.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'

export const TENANT = 'acme'
const MOVED_GAP = 100_000

export interface Written {
  readonly sequence: number
  readonly tenant: string
  readonly scope: string
  readonly audience: Audience
  readonly event: LogEvent
}

export interface Say {
  readonly scope?: string
  readonly audience?: Audience
  readonly by?: Address
  readonly epoch?: number
  readonly control?: number
  readonly type?: string
  readonly payload?: unknown
  readonly tenant?: string
}

export function customer(tenant = TENANT, user = 'ann'): Principal {
  return { tenant, user, roles: [], scopes: [], credential: '' }
}
export function operator(tenant = TENANT, user = 'olga'): Principal {
  return { tenant, user, roles: ['operator'], scopes: [], credential: '' }
}

/** One broker with the event log, a keeper that knows it, and as many gateways' log readers as a test wants. */
export class LogWorld {
  readonly clock = new SimClock()
  readonly random: () => number
  readonly broker: MemoryBroker
  readonly written: Written[] = []
  incarnation = 'aaa1'
  /** Tenants that have moved, as the keeper tells. */
  own: (LogPlace & { incarnation: string })[] = []
  /** Chance that the keeper says "pending". */
  pendingRate = 0
  keeperDown = false
  floorsAsked = 0
  /** Decides for each live message of each gateway whether it is lost. */
  drop: (gateway: string, subject: string, sequence: number) => boolean = () => false
  readonly metrics = new Map<string, Metrics>()
  readonly #writer: Transport
  readonly #events: EventLog
  readonly #readers: LogReader[] = []
  #count = 0

  constructor(seed = 1) {
    this.random = seededRandom(seed)
    this.broker = memoryBroker({ clock: this.clock, random: this.random })
    this.#writer = this.broker.connect('writer')
    this.#events = new EventLog(this.#writer, this.clock)
  }

  async open(): Promise<this> {
    await this.clock.settle(
      this.#writer.ensureStream({
        name: EVENTS,
        subjects: ['t.*.ev.>'],
        retention: 'age',
        maxAgeMs: 86_400_000,
        duplicateWindowMs: 120_000,
        live: true,
        memory: true,
      }),
    )
    return this
  }

  async gateway(name: string): Promise<LogReader> {
    const metrics = new Metrics(name)
    this.metrics.set(name, metrics)
    const transport = this.#lossy(this.broker.connect(name), name)
    const reader = new LogReader({ transport, keeper: this.keeper, metrics, clock: this.clock, random: this.random })
    this.#readers.push(reader)
    await this.clock.settle(reader.start())
    return reader
  }

  /** Appends and lets it become known; the place in the log. */
  async say(what: Say = {}): Promise<number> {
    const { scope = 'c1', audience = 'pub', by = 'supervisor/c1', epoch = 1, control = 0, tenant = TENANT } = what
    const event: LogEvent = {
      id: `e${++this.#count}`,
      type: what.type ?? 'turn:started',
      version: 1,
      by,
      epoch,
      control,
      at: this.clock.now(),
      trace: '',
      payload: what.payload ?? { n: this.#count },
    }
    const token = encodeName(scope)
    const { sequence } = await this.clock.settle(
      this.#events.append(eventSubject(tenant, token, audience), encodeEvent(event), { messageId: event.id }),
    )
    this.written.push({ sequence, tenant, scope, audience, event })
    return sequence
  }

  /** From now on what the tenant says goes to a stream of its own. Gateways hear of it when it is `told`. */
  async move(tenant = TENANT): Promise<{ tell: () => void }> {
    const stream = ownStream(tenant)
    await this.clock.settle(this.#writer.ensureStream(ownLogSpec(tenant, { ...DEFAULT_STREAMS, memory: true })))
    const { lastSequence: after } = await this.clock.settle(this.#writer.streamInfo(EVENTS))
    const from = after + MOVED_GAP
    await this.clock.settle(this.#writer.startAt(stream, from))
    const place: LogPlace = { tenant, stream, after, from, at: this.clock.now(), shared: this.incarnation }
    this.#events.incarnation = this.incarnation
    this.#events.settle(place)
    return { tell: () => void this.own.push({ ...place, incarnation: place.shared }) }
  }

  /** What counts, in log order, for somebody who may hear these audiences. */
  truth(scope: string | null, audiences: readonly Audience[], tenant = TENANT): number[] {
    const floors = new Map<string, Floors>()
    const counts: number[] = []
    for (const entry of this.written) {
      if (entry.tenant !== tenant) continue
      const floor = floors.get(entry.scope) ?? new Floors()
      floors.set(entry.scope, floor)
      const admitted = floor.admit(entry.event, entry.audience)
      if (admitted && audiences.includes(entry.audience) && (scope === null || entry.scope === scope))
        counts.push(entry.sequence)
    }
    return counts
  }

  tail(): number {
    return this.written.at(-1)?.sequence ?? 0
  }

  readonly keeper: Keeper = (tenant) => ({
    ask: async (name: string, input: unknown) => {
      if (this.keeperDown) throw new WaggleError('UNREACHABLE')
      if (name === 'logs') return { incarnation: this.incarnation, own: [...this.own] } as never
      const { scope, sequence } = input as { scope: string; sequence: number }
      this.floorsAsked++
      const floors = new Map<string, number>()
      for (const entry of this.written) {
        if (entry.sequence > sequence || entry.tenant !== tenant || encodeName(entry.scope) !== scope) continue
        const { event } = entry
        if (event.epoch > (floors.get(event.by) ?? 0)) floors.set(event.by, event.epoch)
        if (event.type === 'control:changed' && event.control > (floors.get('control') ?? 0))
          floors.set('control', event.control)
      }
      const pending = this.random() < this.pendingRate
      return { floors: pending ? [] : Array.from(floors, ([who, epoch]) => ({ who, epoch })), pending } as never
    },
    stream: () => {
      throw new Error('the keeper does not stream')
    },
  })

  close(): void {
    for (const reader of this.#readers) reader.close()
    this.broker.close()
  }

  #lossy(transport: Transport, name: string): Transport {
    return new Proxy(transport, {
      get: (target, property) => {
        if (property === 'subscribe') {
          const subscribe: Transport['subscribe'] = (subject, handler, options) =>
            target.subscribe(
              subject,
              (message) => {
                if (message.sequence !== undefined && this.drop(name, message.subject, message.sequence)) return
                handler(message)
              },
              options,
            )
          return subscribe
        }
        const value: unknown = Reflect.get(target, property)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

/** A world that is closed whatever happens in it. */
export async function world(body: (world: LogWorld) => Promise<void>, seed = 1): Promise<void> {
  const made = await new LogWorld(seed).open()
  try {
    await body(made)
  } finally {
    made.close()
  }
}

/** Connected, and its replay is over: what is said from here on comes live. */
export async function join(w: LogWorld, client: LogClient, gateway: LogReader): Promise<void> {
  await w.clock.settle(client.connect(gateway))
  await w.clock.advance(10)
}
