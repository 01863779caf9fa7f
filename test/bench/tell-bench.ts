/** What tell-rate and tell-rate-state share: a sender here, an actor and a raw loop in another process. */
import { connect } from 'nats'

import { startNats } from '#test/kit/nats-server.ts'

import type { BenchDatabase } from './databases.ts'
import { interleave } from './interleave.ts'
import type { Compared } from './interleave.ts'
import { benchNode, principalOf } from './node.ts'
import { startPeer } from './peer.ts'
import { PROGRESS, RAW_SUBJECT, Tally } from './peers/tells.ts'
import type { TellsPeer } from './peers/tells.ts'

const KEYS = 64
/** Appends under way, and commands that may wait to be handled: below what a tenant may have waiting. */
const APPENDS = 256
const AHEAD = 1_000
const PAYLOAD = 'x'.repeat(256)

export interface TellBenchOptions {
  readonly database: BenchDatabase
  readonly state: boolean
  readonly rounds: number
  readonly count: number
}

/** Commands a second, from the first append to the last acknowledgement, both ways. */
export async function tellBench({ database, state, rounds, count }: TellBenchOptions): Promise<Compared> {
  const nats = await startNats()
  const peer = await startPeer<TellsPeer>('tells', { natsUrl: nats.url, databaseUrl: database.url, state })
  const node = await benchNode(nats.url, 'bench-teller')
  const connection = await connect({ servers: nats.url })
  const stream = connection.jetstream()
  const reach = node.system.reach(principalOf('acme'))
  const refs = Array.from({ length: KEYS }, (_, key) => reach.ref(Tally, `k${key}`))
  const bytes = new TextEncoder().encode(PAYLOAD)

  const rateOf = async (side: 'ours' | 'raw', send: (key: number) => Promise<unknown>): Promise<number> => {
    const started = performance.now()
    await Promise.all([peer.ask(side, count), sendAll(count, connection, send)])
    return (count * 1_000) / (performance.now() - started)
  }
  const ours = (): Promise<number> => rateOf('ours', (key) => refs[key]!.tell('note', { text: PAYLOAD }))
  const raw = (): Promise<number> => rateOf('raw', (key) => stream.publish(`${RAW_SUBJECT}.k${key}`, bytes))
  try {
    await ours()
    await raw()
    return await interleave(rounds, ours, raw)
  } finally {
    await node.stop()
    await connection.close()
    await peer.stop()
    await nats.stop()
  }
}

async function sendAll(
  count: number,
  connection: Awaited<ReturnType<typeof connect>>,
  send: (key: number) => Promise<unknown>,
): Promise<void> {
  let handled = 0
  let wake: () => void = () => {}
  const progress = connection.subscribe(PROGRESS, {
    callback: (_error, message) => {
      handled = Number(message.string())
      wake()
    },
  })
  let sent = 0
  let moved = Promise.withResolvers<void>()
  wake = () => {
    moved.resolve()
    moved = Promise.withResolvers<void>()
  }
  const worker = async (): Promise<void> => {
    while (sent < count) {
      if (sent - handled >= AHEAD) {
        await moved.promise
        continue
      }
      await send(sent++ % KEYS)
    }
  }
  await Promise.all(Array.from({ length: APPENDS }, worker))
  progress.unsubscribe()
}
