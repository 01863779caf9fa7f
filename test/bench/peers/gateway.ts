/** A gateway as its own main.ts makes one; its limits of rate are out of the way. */
import { startGateway } from '#gateway/main.ts'
import { readConfig } from '#shared/config/config.ts'
import { joinSwarm } from '#shared/process/join-swarm.ts'

import { heldBy } from '../held.ts'
import type { Held } from '../held.ts'
import { servePeer } from '../peer.ts'
import { residentBytes } from '../resident.ts'

export interface GatewayConfig {
  readonly natsUrl: string
  readonly publicKey: string
  readonly secret?: string
  /** Absent, or 0: any that is free. */
  readonly port?: number
}

export type GatewayPeer = {
  readonly url: (input: null) => string
  readonly held: (input: null) => Promise<Held>
  /** Resident memory once nothing is left to collect; needs --expose-gc. */
  readonly resident: (input: null) => Promise<number>
}

const SECRET = 'a secret of the benchmark'
const UNLIMITED = { perSecond: '100000', burst: '1000000' }

if (import.meta.main) {
  servePeer<GatewayConfig>(async ({ natsUrl, publicKey, secret = SECRET, port = 0 }) => {
    const config = readConfig({
      NATS_URL: natsUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
      JWT_PUBLIC_KEY: publicKey,
      WAGGLE_SECRET: secret,
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
      on: { url: () => gateway.url, held: () => heldBy(swarm.system.census()), resident: () => residentBytes() },
      stop: async () => {
        await gateway.close()
        await swarm.system.stop()
        await swarm.transport.close()
      },
    }
  })
}
