/** A gateway as its own main.ts makes one, on a free port; its limits of rate are out of the way. */
import { startGateway } from '#gateway/main.ts'
import { readConfig } from '#shared/config/config.ts'
import { joinSwarm } from '#shared/process/join-swarm.ts'

import { heldBy } from '../held.ts'
import type { Held } from '../held.ts'
import { servePeer } from '../peer.ts'

export interface GatewayConfig {
  readonly natsUrl: string
  readonly publicKey: string
}

export type GatewayPeer = {
  readonly url: (input: null) => string
  readonly held: (input: null) => Promise<Held>
}

const SECRET = 'a secret of the benchmark'
const UNLIMITED = { perSecond: '100000', burst: '1000000' }

if (import.meta.main) {
  servePeer<GatewayConfig>(async ({ natsUrl, publicKey }) => {
    const config = readConfig({
      NATS_URL: natsUrl,
      PORT: '0',
      JWT_PUBLIC_KEY: publicKey,
      WAGGLE_SECRET: SECRET,
      LOG_LEVEL: 'error',
      RATE_PER_SECOND: UNLIMITED.perSecond,
      RATE_BURST: UNLIMITED.burst,
      RATE_SOCKET_PER_SECOND: UNLIMITED.perSecond,
      RATE_SOCKET_BURST: UNLIMITED.burst,
    })
    const swarm = await joinSwarm(config, 'gateway')
    await swarm.system.start()
    const gateway = await startGateway(swarm)
    return {
      on: { url: () => gateway.url, held: () => heldBy(swarm.system.census()) },
      stop: async () => {
        await gateway.close()
        await swarm.system.stop()
        await swarm.transport.close()
      },
    }
  })
}
