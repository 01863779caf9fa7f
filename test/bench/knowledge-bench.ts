/** Knowledge for figures about it: broker, PostgreSQL, the role and a gateway each as a process, and somebody who asks. */
import { generateKeyPairSync } from 'node:crypto'

import { signToken } from '#gateway/auth/tokens.ts'
import type { Reach } from '#shared/actor/ref.ts'
import { openDatabase } from '#shared/db/database.ts'
import type { Database } from '#shared/db/database.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { KnowledgeClient } from '#test/kit/knowledge.ts'
import { startNats } from '#test/kit/nats-server.ts'

import { benchPostgres, refreshPlans } from './databases.ts'
import { benchNode, principalOf } from './node.ts'
import { startPeer } from './peer.ts'
import type { GatewayPeer } from './peers/gateway.ts'
import type { ServicesPeer } from './peers/services.ts'

const SECRET = 'a secret of the benchmark'
const NAMES = { issuer: 'waggle', audience: 'waggle', tenantClaim: 'tenant' }
const OPERATOR = { user: 'olga', roles: ['operator'] } as const

export interface KnowledgeBench {
  readonly url: string
  readonly database: Database
  readonly client: (tenant: string) => Promise<KnowledgeClient>
  /** Straight to the role, over the broker. */
  readonly reach: (tenant: string) => Reach
  /** As autovacuum would, once there is something. */
  readonly analyze: () => Promise<void>
  readonly stop: () => Promise<void>
}

export async function knowledgeBench(
  tenants: readonly string[],
  say: (line: string) => void,
): Promise<KnowledgeBench | { readonly problem: string }> {
  const postgres = await benchPostgres(say)
  if ('problem' in postgres) return postgres
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const nats = await startNats()
  const database = await openDatabase({ url: postgres.url })
  for (const tenant of tenants) await database.tenant(tenant, (sql) => saveTenant(sql, { name: tenant }))
  const services = await startPeer<ServicesPeer>('services', {
    natsUrl: nats.url,
    databaseUrl: postgres.url,
    name: 'knowledge',
    roles: ['knowledge', 'directory', 'supervisor'],
    allow: '',
    script: 'turn',
  })
  const gateway = await startPeer<GatewayPeer>('gateway', {
    natsUrl: nats.url,
    publicKey: keys.publicKey,
    secret: SECRET,
  })
  const url = await gateway.ask('url', null)
  const node = await benchNode(nats.url, 'bench-asker')
  return {
    url,
    database,
    client: async (tenant) =>
      new KnowledgeClient(
        url,
        await signToken(keys.privateKey, { tenant, ...OPERATOR }, { ...NAMES, lifetimeS: 36_000 }),
      ),
    reach: (tenant) => node.system.reach({ ...principalOf(tenant), ...OPERATOR }),
    analyze: () => refreshPlans(postgres.url),
    stop: async () => {
      await node.stop()
      await gateway.stop()
      await services.stop()
      await database.close()
      await nats.stop()
      await postgres.stop()
    },
  }
}

/** Documents under way at once, as a person with a folder of them. */
const PARALLEL = 8

/** Gives all to a collection and waits until each can be found. Their ids, in the same order. */
export async function giveAll(
  client: KnowledgeClient,
  collection: string,
  documents: readonly { readonly name: string; readonly title: string; readonly text: string }[],
  say: (line: string) => void,
): Promise<string[]> {
  const ids: string[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    for (let at = next++; at < documents.length; at = next++) {
      const { name, title, text } = documents[at]!
      ids[at] = (await client.give(collection, name, text, { title })).documentId
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, lane))
  for (const [at, id] of ids.entries()) {
    const { state, error } = await client.settled(id, 1, READY_MS)
    if (state !== 'ready') throw new Error(`${documents[at]!.name} is ${state}: ${JSON.stringify(error)}`)
    if ((at + 1) % SAY_EVERY === 0) say(`${at + 1} of ${ids.length} documents read`)
  }
  return ids
}

const READY_MS = 600_000
const SAY_EVERY = 100
