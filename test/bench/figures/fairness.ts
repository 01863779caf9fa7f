import { startNats } from '#test/kit/nats-server.ts'

import { benchPostgres, refreshPlans } from '../databases.ts'
import { ROUNDS, interleave, median } from '../interleave.ts'
import { startPeer } from '../peer.ts'
import type { ErrandsPeer } from '../peers/errands.ts'
import type { SendersPeer } from '../peers/senders.ts'
import type { Figure } from '../row.ts'

const SECONDS = 4
/** Commands on their way while the node's capacity is found. */
const WAITING = 256
const CAPACITY_COUNT = 5_000
/** Of its share, which is half of the capacity. */
const OFFERED_BY_A = 10
const OFFERED_BY_B = 0.5
const MOST = 2

/**
 * How much a tenant feels of another that asks for far more than its share. One node with actors that keep state; what it
 * can do in a second is found first, and half of that is the share of each of two tenants. B asks for half of its share,
 * in an open loop, and waits for each command to be committed. Against B alone: B while A offers ten times A's share,
 * of which the credit refuses most and the node handles what it can. Each tenant is a process of its own.
 */
export const figure: Figure = {
  name: 'fairness',
  async run({ quick, say }) {
    const head = { name: 'fairness', unit: 'ms', bar: `<= ${MOST}x` }
    const database = await benchPostgres(say)
    if ('problem' in database)
      return [{ ...head, value: null, baseline: null, ratio: null, ok: null, note: database.problem }]
    const nats = await startNats()
    const errands = await startPeer<ErrandsPeer>('errands', { natsUrl: nats.url, databaseUrl: database.url })
    const a = await startPeer<SendersPeer>('senders', { natsUrl: nats.url, tenant: 'tenant-a' })
    const b = await startPeer<SendersPeer>('senders', { natsUrl: nats.url, tenant: 'tenant-b' })
    try {
      const saturation = { waiting: WAITING, count: quick ? 500 : CAPACITY_COUNT }
      await b.ask('saturate', saturation)
      await refreshPlans(database.url)
      const share = (await b.ask('saturate', saturation)) / 2
      const load = { perSecond: share * OFFERED_BY_B, count: Math.ceil(share * OFFERED_BY_B * (quick ? 1 : SECONDS)) }
      say(`share ${share.toFixed(0)} commands/s`)
      const taken: number[] = []
      const p50s: Record<'alone' | 'beside', number[]> = { alone: [], beside: [] }
      const alone = async (): Promise<number> => {
        const { p50, p99 } = await b.ask('confirm', load)
        p50s.alone.push(p50)
        return p99
      }
      const besideA = async (): Promise<number> => {
        const before = await errands.ask('handled', 'tenant-a')
        const started = performance.now()
        await a.ask('offer', { perSecond: share * OFFERED_BY_A })
        const { p50, p99 } = await b.ask('confirm', load)
        p50s.beside.push(p50)
        const handled = (await errands.ask('handled', 'tenant-a')) - before
        taken.push((handled * 1_000) / (performance.now() - started))
        await a.ask('calm', null)
        await quiet(errands)
        return p99
      }
      await alone()
      await besideA()
      const result = await interleave(quick ? 1 : ROUNDS, besideA, alone)
      const rates = `share ${share.toFixed(0)}/s, B asks ${load.perSecond.toFixed(0)}/s, A gets ${median(taken).toFixed(0)}/s`
      const p50 = `p50 ${median(p50s.beside).toFixed(1)} ms, alone ${median(p50s.alone).toFixed(1)} ms`
      const note = `p99; ${p50}; ${rates}; ${result.note}`
      return [{ ...head, ...result, ok: result.ratio <= MOST, note }]
    } finally {
      await a.stop()
      await b.stop()
      await errands.stop()
      await nats.stop()
      await database.stop()
    }
  },
}

/** When A's backlog has been worked off. */
async function quiet(errands: Awaited<ReturnType<typeof startPeer<ErrandsPeer>>>): Promise<void> {
  for (let before = -1; ;) {
    const now = await errands.ask('handled', 'tenant-a')
    if (now === before) return
    before = now
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  }
}

const QUIET_MS = 500
