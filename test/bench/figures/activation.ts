import { Client } from 'pg'

import { startNats } from '#test/kit/nats-server.ts'

import { benchPostgres, refreshPlans } from '../databases.ts'
import { ROUNDS, interleave, median, quantile } from '../interleave.ts'
import { benchNode, principalOf } from '../node.ts'
import { startPeer } from '../peer.ts'
import { Sleeper } from '../peers/sleeper.ts'
import type { SleeperPeer } from '../peers/sleeper.ts'
import type { Figure } from '../row.ts'

const ACTORS = 1_000
const TENANT = 'acme'
const TEXT = 'x'.repeat(256)
const MOST = 3

/**
 * What it costs to speak to an actor that sleeps: an ask from another process, through the broker, whose actor is made and
 * reads its state from PostgreSQL before it answers; one after the other, each actor once in a round, all asleep again
 * before the next. Beside it the reading of the same rows by the database's client alone: begin, role, tenant, select,
 * commit.
 */
export const figure: Figure = {
  name: 'activation',
  async run({ quick, say }) {
    const head = { name: 'activation', unit: 'ms', bar: `<= ${MOST}x` }
    const database = await benchPostgres(say)
    if ('problem' in database)
      return [{ ...head, value: null, baseline: null, ratio: null, ok: null, note: database.problem }]
    const nats = await startNats()
    const peer = await startPeer<SleeperPeer>('sleeper', { natsUrl: nats.url, databaseUrl: database.url })
    const node = await benchNode(nats.url, 'bench-waker')
    const client = new Client({ connectionString: database.url })
    await client.connect()
    const reach = node.system.reach(principalOf(TENANT))
    const keys = Array.from({ length: quick ? 50 : ACTORS }, (_, number) => `k${number}`)
    const p50s: number[] = []
    const rawP50s: number[] = []
    const ours = async (): Promise<number> => {
      await peer.ask('asleep', null)
      const times = await timesOf(keys, async (key) => (await reach.ref(Sleeper, key).ask('look', {})).text)
      p50s.push(median(times))
      return quantile(times, 0.99)
    }
    const raw = async (): Promise<number> => {
      const times = await timesOf(keys, (key) => readAlone(client, key))
      rawP50s.push(median(times))
      return quantile(times, 0.99)
    }
    try {
      for (const key of keys) await reach.ref(Sleeper, key).confirm('note', { text: TEXT })
      await refreshPlans(database.url)
      await ours()
      await raw()
      const result = await interleave(quick ? 1 : ROUNDS, ours, raw)
      const p50 = `p50 ${median(p50s).toFixed(2)} ms, raw ${median(rawP50s).toFixed(2)} ms`
      return [{ ...head, ...result, ok: result.ratio <= MOST, note: `p99; ${p50}; ${result.note}` }]
    } finally {
      await client.end()
      await node.stop()
      await peer.stop()
      await nats.stop()
      await database.stop()
    }
  },
}

async function timesOf(keys: readonly string[], read: (key: string) => Promise<string>): Promise<number[]> {
  const times: number[] = []
  for (const key of keys) {
    const started = performance.now()
    if ((await read(key)) !== TEXT) throw new Error('a wrong state')
    times.push(performance.now() - started)
  }
  return times
}

async function readAlone(client: Client, key: string): Promise<string> {
  await client.query('begin')
  await client.query('set local role waggle_runtime')
  await client.query(`select set_config('app.tenant', $1, true)`, [TENANT])
  const { rows } = await client.query<{ value: { text: string } }>({
    name: 'read',
    text: 'select epoch, version, value from actor_state where tenant = $1 and kind = $2 and key = $3',
    values: [TENANT, Sleeper.kind, key],
  })
  await client.query('commit')
  return rows[0]?.value.text ?? ''
}
