import { connectNats } from '#shared/nats/connect-nats.ts'
import type { Transport } from '#shared/transport/port.ts'
import { natsBinaries, startNats } from '#test/kit/nats-server.ts'
import { CutProxy } from './transport-proxy.ts'
import { transportContract } from './transport.contract.ts'
import type { TransportWorld } from './transport-world.ts'

for (const [index, { version }] of (await natsBinaries()).entries()) {
  transportContract(`NATS ${version}`, () => startWorld(index === 0 ? 'oldest' : 'newest'))
}

async function startWorld(version: 'oldest' | 'newest'): Promise<TransportWorld> {
  const server = await startNats({ version })
  const handlerErrors: Error[] = []
  const open: Transport[] = []
  const proxies = new Map<string, CutProxy>()
  return {
    handlerErrors,
    connect: async (name) => {
      let { url } = server
      // Only those that a test wants to cut go through a relay.
      if (name.startsWith('cut')) {
        const proxy = proxies.get(name) ?? (await CutProxy.listen(server.url))
        proxies.set(name, proxy)
        url = proxy.url
      }
      const transport = await connectNats({ url, name, onError: (error) => handlerErrors.push(error) })
      open.push(transport)
      return transport
    },
    partition: async (name) => proxies.get(name)!.cut(),
    heal: async (name) => proxies.get(name)!.heal(),
    close: async () => {
      await Promise.all(open.map((transport) => transport.close()))
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()))
      await server.stop()
    },
  }
}
