import { randomUUID } from 'node:crypto'

import { TEXT, delta, edgeBench } from '../edge-bench.ts'
import { ROUNDS, interleave } from '../interleave.ts'
import { startPeer } from '../peer.ts'
import type { BareSocketsPeer } from '../peers/bare-sockets.ts'
import { ROOM } from '../peers/raw-sockets.ts'
import type { RawSocketsPeer } from '../peers/raw-sockets.ts'
import type { Figure, Row } from '../row.ts'

const SOCKETS = 1_000
const QUICK_SOCKETS = 50
const BURST = 100
const SINGLE = 30
const QUICK_EVENTS = 10
const LEAST = 0.7
/** One principal may have 500 sockets on a gateway. */
const USERS = 4

/**
 * Deliveries a second to many sockets in one room: an event is appended to the log, read live by the gateway, checked,
 * numbered and written to every socket; beside it io.to(room).emit of the same entry by Socket.IO alone. In a burst the
 * gateway writes what came together as one frame; `fanout/single` says the next only when everybody has the one before.
 */
export const figure: Figure = {
  name: 'fanout',
  async run({ quick }) {
    const bench = await edgeBench()
    const ours = await startPeer<BareSocketsPeer>('bare-sockets', {})
    const theirs = await startPeer<BareSocketsPeer>('bare-sockets', {})
    const raw = await startPeer<RawSocketsPeer>('raw-sockets', {})
    try {
      const sockets = quick ? QUICK_SOCKETS : SOCKETS
      const { url } = await bench.gateway()
      const tokens = await Promise.all(
        Array.from({ length: USERS }, (_, user) => bench.token(`olga-${user}`, ['operator'])),
      )
      await bench.conversation(ROOM)
      await ours.ask('join', { url, tokens, count: sockets, conversationId: ROOM })
      await theirs.ask('join', { url: await raw.ask('url', null), tokens, count: sockets, conversationId: ROOM })
      await bench.say(ROOM, [delta(randomUUID(), 0)])
      await ours.ask('until', 1)
      const said = { ours: 1, theirs: 0 }
      const sayOurs = async (count: number): Promise<void> => {
        const message = randomUUID()
        const all = ours.ask('until', (said.ours += count))
        await bench.say(
          ROOM,
          Array.from({ length: count }, (_, index) => delta(message, index)),
        )
        await all
      }
      const sayTheirs = async (count: number): Promise<void> => {
        const all = theirs.ask('until', (said.theirs += count))
        await raw.ask('broadcast', { count, entry: ENTRY })
        await all
      }
      const rate = async (events: number, atOnce: number, say: (count: number) => Promise<void>): Promise<number> => {
        const started = performance.now()
        for (let done = 0; done < events; done += atOnce) await say(atOnce)
        return (sockets * events) / ((performance.now() - started) / 1_000)
      }
      const burst = quick ? QUICK_EVENTS : BURST
      const single = quick ? QUICK_EVENTS : SINGLE
      const rows: Row[] = []
      for (const [name, events, atOnce] of [
        ['fanout', burst, burst],
        ['fanout/single', single, 1],
      ] as const) {
        await rate(atOnce, atOnce, sayOurs)
        await rate(atOnce, atOnce, sayTheirs)
        const result = await interleave(
          quick ? 1 : ROUNDS,
          () => rate(events, atOnce, sayOurs),
          () => rate(events, atOnce, sayTheirs),
        )
        rows.push({ name, unit: 'deliveries/s', bar: `>= ${LEAST}x`, ok: result.ratio >= LEAST, ...result })
      }
      return rows
    } finally {
      await Promise.all([ours.stop(), theirs.stop(), raw.stop()])
      await bench.stop()
    }
  },
}

const ENTRY = {
  cursor: '',
  conversationId: ROOM,
  audience: 'pub',
  id: randomUUID(),
  type: 'text:delta',
  by: 'agent/room--bench',
  at: Date.now(),
  payload: { messageId: randomUUID(), offset: 0, text: TEXT },
}
