import { systemClock } from '#shared/lib/clock.ts'
import { seededRandom } from '#shared/lib/random.ts'
import { memoryBroker } from '#shared/transport/memory.ts'
import type { Transport } from '#shared/transport/port.ts'
import { transportContract } from './transport.contract.ts'
import type { TransportWorld } from './transport-world.ts'

function start(latencyMaxMs: number): () => Promise<TransportWorld> {
  return async () => {
    const handlerErrors: Error[] = []
    const broker = memoryBroker({
      clock: systemClock,
      random: seededRandom(7),
      faults: { latencyMaxMs },
      onError: (error) => handlerErrors.push(error),
    })
    const open: Transport[] = []
    return {
      handlerErrors,
      connect: async (name) => {
        const transport = broker.connect(name)
        open.push(transport)
        return transport
      },
      partition: async (name) => broker.partition(name),
      heal: async (name) => broker.heal(name),
      close: async () => {
        await Promise.all(open.map((transport) => transport.close()))
        broker.close()
      },
    }
  }
}

transportContract('memory transport', start(0))
transportContract('memory transport with latency', start(5))
