import { newId } from '#shared/lib/ids.ts'
import type { Transport } from '#shared/transport/port.ts'
import type { Address } from '#shared/wire/envelope.ts'
import { encodeEvent } from '#shared/wire/event.ts'
import { encodeName } from '#shared/wire/names.ts'
import { eventSubject } from '#shared/wire/subjects.ts'

import { benchPostgres } from '../databases.ts'
import { ROUNDS, interleave, median } from '../interleave.ts'
import { benchNode } from '../node.ts'
import { machineMs, pace } from '../pace.ts'
import { startPeer } from '../peer.ts'
import type { ListenersPeer } from '../peers/listeners.ts'
import type { RawSocketsPeer } from '../peers/raw-sockets.ts'
import type { Figure } from '../row.ts'
import { turnBench } from '../turn-bench.ts'
import type { Layout } from '../turn-bench.ts'

const SOCKETS = 200
const PER_SOCKET_SECOND = 20
const SECONDS = 5
const TENANT = 'acme'
const MOST_MS = 20

const LAYOUT: Layout = { services: ['supervisor', 'directory'] }

/**
 * From the publishing of an event to the callback of the client that has its conversation open: through the stored log,
 * its live lane and a gateway that orders, voids and encodes. 200 sockets with a conversation each, 20 events a second in
 * every one; publisher, gateway and clients are processes of their own. Beside it a Socket.IO server that just emits the
 * same to as many sockets: from its emit to the callback.
 */
export const figure: Figure = {
  name: 'live-hop',
  async run({ quick, say }) {
    const head = { name: 'live-hop', unit: 'ms', bar: `<= ${MOST_MS} ms` }
    const database = await benchPostgres(say)
    if ('problem' in database)
      return [{ ...head, value: null, baseline: null, ratio: null, ok: null, note: database.problem }]
    const bench = await turnBench({ database, layout: LAYOUT, tenants: [TENANT], edge: true })
    const node = await benchNode(bench.natsUrl, 'bench-publisher')
    const listeners = await startPeer<ListenersPeer>('listeners', {})
    const raw = await startPeer<RawSocketsPeer>('raw-sockets', {})
    const rawListeners = await startPeer<ListenersPeer>('listeners', {})
    const sockets = quick ? 20 : SOCKETS
    const perSecond = sockets * PER_SOCKET_SECOND
    const p50s: number[] = []
    const rawP50s: number[] = []
    try {
      const opening = { url: bench.gatewayUrl!, token: await bench.token(TENANT), count: sockets }
      const scopes = await listeners.ask('open', opening)
      await rawListeners.ask('connect', { url: await raw.ask('url', null), count: sockets })
      const ours = async (count: number): Promise<number> => {
        await listeners.ask('expect', count)
        await publish(node.transport, scopes, perSecond, count)
        const heard = await listeners.ask('heard', null)
        p50s.push(heard.p50)
        return heard.p99
      }
      const theirs = async (count: number): Promise<number> => {
        await rawListeners.ask('expect', count)
        await raw.ask('emit', { perSecond, count })
        const heard = await rawListeners.ask('heard', null)
        rawP50s.push(heard.p50)
        return heard.p99
      }
      await ours(perSecond)
      await theirs(perSecond)
      const count = perSecond * (quick ? 1 : SECONDS)
      const result = await interleave(
        quick ? 1 : ROUNDS,
        () => ours(count),
        () => theirs(count),
      )
      const note = `p99; p50 ${median(p50s).toFixed(2)} ms, raw ${median(rawP50s).toFixed(2)} ms; ${result.note}`
      return [{ ...head, ...result, ok: result.value <= MOST_MS, note }]
    } finally {
      await listeners.stop()
      await rawListeners.stop()
      await raw.stop()
      await node.stop()
      await bench.stop()
      await database.stop()
    }
  },
}

/** As a run says its progress: one conversation after the other. */
async function publish(
  transport: Transport,
  scopes: readonly string[],
  perSecond: number,
  count: number,
): Promise<void> {
  const appends: Promise<unknown>[] = []
  await pace(perSecond, count, (index) => {
    const scope = encodeName(scopes[index % scopes.length]!)
    const by: Address = `agent/${scope}--support`
    const id = newId()
    const payload = { turnId: 'turn', runId: 'run', step: 'act', label: String(machineMs()) }
    const event = { id, type: 'run:progress', version: 1, by, epoch: 1, control: 0, at: Date.now(), trace: '', payload }
    appends.push(transport.append(eventSubject(TENANT, scope, 'pub'), encodeEvent(event), { messageId: id }))
  })
  await Promise.all(appends)
}
