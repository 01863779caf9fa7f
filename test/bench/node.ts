import type { Limits } from '#shared/actor/limits.ts'
import type { Store } from '#shared/actor/store.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import { connectNats } from '#shared/nats/connect-nats.ts'
import { Metrics } from '#shared/telemetry/metrics.ts'
import { observeRuntime } from '#shared/telemetry/runtime-metrics.ts'
import type { Transport } from '#shared/transport/port.ts'
import type { Principal } from '#shared/wire/envelope.ts'

export interface BenchNode {
  readonly system: ActorSystem
  readonly transport: Transport
  /** Leaves in good order and gives the connection back. */
  stop(): Promise<void>
}

/** A node as a process of the product makes one, metrics included, logging nothing. */
export async function benchNode(
  url: string,
  name: string,
  options: { readonly store?: Store; readonly limits?: Partial<Limits> } = {},
): Promise<BenchNode> {
  const transport = await connectNats({ url, name, onError: () => {} })
  const system = new ActorSystem({
    transport,
    node: name,
    observe: observeRuntime(new Metrics(name)),
    ...(options.store === undefined ? {} : { store: options.store }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  return {
    system,
    transport,
    stop: async () => {
      await system.stop()
      await transport.close()
    },
  }
}

export function principalOf(tenant: string): Principal {
  return { tenant, user: 'ada', roles: ['customer'], scopes: [], credential: '' }
}
