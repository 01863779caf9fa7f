/** The edge of the product for figures about it: broker, database, what gateways ask, any number of gateways, tokens. */
import { generateKeyPairSync } from 'node:crypto'

import { signToken } from '#gateway/auth/tokens.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { openDatabase } from '#shared/db/database.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import type { Transport } from '#shared/transport/port.ts'
import { encodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { encodeName } from '#shared/wire/names.ts'
import { eventSubject } from '#shared/wire/subjects.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import { startNats } from '#test/kit/nats-server.ts'

import { benchPglite } from './databases.ts'
import { benchNode, principalOf } from './node.ts'
import { startPeer } from './peer.ts'
import type { Peer } from './peer.ts'
import type { EdgeServicesPeer } from './peers/edge-services.ts'
import type { GatewayPeer } from './peers/gateway.ts'

export const TENANT = 'acme'
const SECRET = 'a secret of the benchmark'
const NAMES = { issuer: 'waggle', audience: 'waggle', tenantClaim: 'tenant' }

export interface EdgeBench {
  readonly natsUrl: string
  readonly transport: Transport
  readonly gateway: (port?: number) => Promise<{ readonly peer: Peer<GatewayPeer>; readonly url: string }>
  readonly token: (user: string, roles?: readonly string[]) => Promise<string>
  /** A new conversation of ada. */
  readonly conversation: (id: string) => Promise<void>
  /** Appends entries to a conversation's log in this order; the place of the last. */
  readonly say: (conversation: string, events: readonly Said[]) => Promise<number>
  readonly stop: () => Promise<void>
}

export interface Said {
  readonly id: string
  readonly type: string
  readonly payload: unknown
  readonly audience?: Audience
}

/** Appends under way at once. One connection keeps their order. */
const IN_FLIGHT = 64

export async function edgeBench(): Promise<EdgeBench> {
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const nats = await startNats()
  const database = await benchPglite()
  const direct = await openDatabase({ url: database.url, poolSize: 1 })
  await direct.tenant(TENANT, (sql) => saveTenant(sql, { name: TENANT }))
  await direct.close()
  const services = await startPeer<EdgeServicesPeer>('edge-services', {
    natsUrl: nats.url,
    databaseUrl: database.url,
    secret: SECRET,
  })
  const node = await benchNode(nats.url, 'bench-writer')
  const gateways: Peer<GatewayPeer>[] = []
  return {
    natsUrl: nats.url,
    transport: node.transport,
    gateway: async (port = 0) => {
      const config = { natsUrl: nats.url, publicKey: keys.publicKey, secret: SECRET, port }
      const peer = await startPeer<GatewayPeer>('gateway', config, { execArgv: ['--expose-gc'] })
      gateways.push(peer)
      return { peer, url: await peer.ask('url', null) }
    },
    token: (user, roles = []) =>
      signToken(keys.privateKey, { tenant: TENANT, user, roles }, { ...NAMES, lifetimeS: 3_600 }),
    conversation: async (id) => {
      await node.system.reach(principalOf(TENANT)).ref(Supervisor, id).confirm('open', { channel: 'bench' })
    },
    say: (conversation, events) => say(node.transport, conversation, events),
    stop: async () => {
      await Promise.all(gateways.map((peer) => peer.kill()))
      await node.stop()
      await services.stop()
      await database.stop()
      await nats.stop()
    },
  }
}

async function say(transport: Transport, conversation: string, events: readonly Said[]): Promise<number> {
  let last = 0
  const underWay: Promise<void>[] = []
  for (const { id, type, payload, audience = 'pub' } of events) {
    const event: LogEvent = {
      id,
      type,
      version: 1,
      by: `agent/${encodeName(conversation)}--bench`,
      epoch: 1,
      control: 0,
      at: Date.now(),
      trace: '',
      payload,
    }
    const subject = eventSubject(TENANT, encodeName(conversation), audience)
    underWay.push(
      transport.append(subject, encodeEvent(event), { messageId: `${subject}#${id}` }).then(({ sequence }) => {
        last = Math.max(last, sequence)
      }),
    )
    if (underWay.length >= IN_FLIGHT) await underWay.shift()
  }
  await Promise.all(underWay)
  return last
}

/** A piece of streamed text, of the size that a run says every 25 ms. */
export function delta(message: string, index: number): Said {
  return {
    id: `${message}-${index}`,
    type: 'text:delta',
    payload: { messageId: message, offset: index * TEXT.length, text: TEXT },
  }
}

export const TEXT = 'Your order is on its way. '
