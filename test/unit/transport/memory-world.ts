import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import { seededRandom } from '#shared/lib/random.ts'
import { memoryBroker } from '#shared/transport/memory.ts'
import type { MemoryBroker } from '#shared/transport/memory.ts'
import type { Faults } from '#shared/transport/memory-faults.ts'
import type { ConsumerSpec, Delivery, Transport } from '#shared/transport/port.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A memory broker in virtual time with the two streams every test needs. */
export class MemoryWorld {
  readonly clock = new SimClock()
  readonly broker: MemoryBroker
  readonly errors: Error[] = []
  #ids = 0

  private constructor(seed: number, faults: Partial<Faults>) {
    const { clock } = this
    const onError = (error: Error): void => void this.errors.push(error)
    this.broker = memoryBroker({ clock, random: seededRandom(seed), faults, onError })
  }

  static async open(faults: Partial<Faults> = {}, seed = 1): Promise<MemoryWorld> {
    const world = new MemoryWorld(seed, faults)
    const maker = world.broker.connect('maker')
    const common = { duplicateWindowMs: 120_000 }
    await world.run(maker.ensureStream({ name: 'CMD', subjects: ['cmd.>'], retention: 'work', ...common }))
    await world.run(
      maker.ensureStream({
        name: 'EVT',
        subjects: ['ev.>'],
        retention: 'age',
        maxAgeMs: 3_600_000,
        live: true,
        ...common,
      }),
    )
    await world.run(maker.close())
    return world
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.clock.settle(promise)
  }

  append(from: Transport, subject: string, text: string, messageId = `id-${++this.#ids}`): Promise<unknown> {
    return from.append(subject, encoder.encode(text), { messageId })
  }

  consumer(durable: string, settings: Partial<ConsumerSpec> = {}): ConsumerSpec {
    return { stream: 'CMD', durable, filter: 'cmd.>', ackWaitMs: 1_000, maxUnacknowledged: 100, ...settings }
  }
}

export function textOf({ data }: Pick<Delivery, 'data'>): string {
  return decoder.decode(data)
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text)
}
