/** A gateway as its own main.ts starts it, on a given port. */
import { startGateway } from '#gateway/main.ts'
import { readConfig } from '#shared/config/config.ts'
import { joinSwarm } from '#shared/process/join-swarm.ts'

import { servePeer } from '../peer.ts'
import { residentBytes } from '../resident.ts'

export interface GatewayConfig {
  readonly natsUrl: string
  readonly publicKey: string
  readonly secret: string
  /** 0: any that is free. */
  readonly port: number
}

export type GatewayPeer = {
  readonly url: (input: null) => string
  /** Resident memory once nothing is left to collect; needs --expose-gc. */
  readonly resident: (input: null) => Promise<number>
}

if (import.meta.main) {
  servePeer<GatewayConfig>(async ({ natsUrl, publicKey, secret, port }) => {
    const config = readConfig({
      PORT: String(port),
      HOST: '127.0.0.1',
      NATS_URL: natsUrl,
      JWT_PUBLIC_KEY: publicKey,
      WAGGLE_SECRET: secret,
      LOG_LEVEL: 'error',
      RATE_PER_SECOND: '100000',
      RATE_BURST: '1000000',
    })
    const swarm = await joinSwarm(config, 'bench-gateway')
    await swarm.system.start()
    const gateway = await startGateway(swarm)
    return {
      on: { url: () => gateway.url, resident: () => residentBytes() },
      stop: async () => {
        await gateway.close()
        await swarm.system.stop()
        await swarm.transport.close()
      },
    }
  })
}
