/** A gateway on a broker, and sockets of people who come to it: for tests and figures that want the edge as it is. */
import { generateKeyPairSync } from 'node:crypto'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { startGateway } from '#gateway/main.ts'
import { signToken } from '#gateway/auth/tokens.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import { readConfig } from '#shared/config/config.ts'
import type { Ack, ClientToServer, ServerToClient } from '#shared/contracts/client.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import { connectNats } from '#shared/nats/connect-nats.ts'
import { Metrics } from '#shared/telemetry/metrics.ts'

export type Client = Socket<ServerToClient, ClientToServer>

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const NAMES = { issuer: 'waggle', audience: 'waggle', tenantClaim: 'tenant' }
const TOKEN_S = 3_600
const NO_LIMIT = '100000'

export interface OpenGateway {
  readonly url: string
  readonly token: (user: string, roles?: readonly string[]) => Promise<string>
  /** A connected socket; it is closed with the gateway. */
  readonly client: (user: string, roles?: readonly string[]) => Promise<Client>
  readonly close: () => Promise<void>
}

/** @param memory whether the streams of that broker are kept in memory, as in tests */
export async function openGateway(
  natsUrl: string,
  tenant: string,
  { name = 'gateway', memory = true }: { readonly name?: string; readonly memory?: boolean } = {},
): Promise<OpenGateway> {
  const config = readConfig({
    PORT: '0',
    JWT_PUBLIC_KEY: keys.publicKey,
    WAGGLE_SECRET: 'a secret of more than sixteen characters',
    RATE_SOCKET_PER_SECOND: NO_LIMIT,
    RATE_SOCKET_BURST: NO_LIMIT,
    RATE_PER_SECOND: NO_LIMIT,
    RATE_BURST: NO_LIMIT,
  })
  const transport = await connectNats({ url: natsUrl, name, onError: () => {} })
  const system = new ActorSystem({ transport, node: name, streams: { memory } })
  await system.start()
  const metrics = new Metrics(name)
  const gateway = await startGateway({ config, role: 'gateway', log: silentLogger, metrics, transport, system })
  const clients: Client[] = []
  const token = (user: string, roles: readonly string[] = []): Promise<string> =>
    signToken(keys.privateKey, { tenant, user, roles }, { ...NAMES, lifetimeS: TOKEN_S })
  return {
    url: gateway.url,
    token,
    client: async (user, roles) => {
      const auth = { token: await token(user, roles) }
      const socket: Client = io(gateway.url, { transports: ['websocket'], auth, forceNew: true, reconnection: false })
      clients.push(socket)
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('connect_error', reject)
      })
      return socket
    },
    close: async () => {
      for (const client of clients) client.removeAllListeners().disconnect()
      await gateway.close()
      await system.stop()
      await transport.close()
    },
  }
}

/** Emits and waits for the acknowledgement; throws what it was refused with. */
export async function request<Name extends keyof ClientToServer>(
  client: Client,
  name: Name,
  payload: Parameters<ClientToServer[Name]>[0],
): Promise<Readonly<Record<string, unknown>>> {
  const answer = (await (client as Socket).timeout(20_000).emitWithAck(name, payload)) as Ack<Record<string, unknown>>
  if (!answer.ok) throw Object.assign(new Error(JSON.stringify(answer.error)), { code: answer.error.code })
  return answer
}
