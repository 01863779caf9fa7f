import { edgeBench } from '../edge-bench.ts'
import type { EdgeBench } from '../edge-bench.ts'
import { median } from '../interleave.ts'
import { startPeer } from '../peer.ts'
import type { BareSocketsPeer } from '../peers/bare-sockets.ts'
import { ROOM } from '../peers/raw-sockets.ts'
import type { RawSocketsPeer } from '../peers/raw-sockets.ts'
import type { Figure, Row } from '../row.ts'

const SOCKETS = 1_500
const QUICK_SOCKETS = 200
/** One principal may have 500 sockets on a gateway. */
const USERS = 8
const ROUNDS = 3
const MOST = 1.3
const KIB = 1_024

/**
 * What a connected client that is silent costs in resident memory: a new process, its memory before and after so many have
 * come; beside it Socket.IO alone. The second row says what each costs when it has opened a conversation, beside Socket.IO
 * alone with each of them in a room.
 */
export const figure: Figure = {
  name: 'socket-memory',
  async run({ quick, say }) {
    const bench = await edgeBench()
    try {
      await bench.conversation(ROOM)
      const sockets = quick ? QUICK_SOCKETS : SOCKETS
      const measured: { open: [number, number][]; connected: [number, number][] } = { open: [], connected: [] }
      for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
        for (const form of ['connected', 'open'] as const) {
          const conversationId = form === 'open' ? ROOM : null
          const ours = await costOf(bench, sockets, conversationId)
          const raw = await costOfRaw(bench, sockets, conversationId)
          measured[form].push([ours, raw])
          say(`${form}: ${ours.toFixed(1)} KiB, Socket.IO alone ${raw.toFixed(1)} KiB`)
        }
      }
      const open = { ...row('socket-memory/open', measured.open), bar: 'reported', ok: null }
      return [row('socket-memory', measured.connected), open]
    } finally {
      await bench.stop()
    }
  },
}

function row(name: string, rounds: readonly [number, number][]): Row {
  const value = median(rounds.map(([ours]) => ours))
  const baseline = median(rounds.map(([, raw]) => raw))
  const ratio = value / baseline
  const each = rounds.map(([ours, raw]) => (ours / raw).toFixed(2)).join(', ')
  return { name, value, unit: 'KiB', baseline, ratio, bar: `<= ${MOST}x`, ok: ratio <= MOST, note: `ratios ${each}` }
}

async function costOf(bench: EdgeBench, count: number, conversationId: string | null): Promise<number> {
  const { peer, url } = await bench.gateway()
  const tokens = await tokensOf(bench)
  try {
    return await growth(
      () => peer.ask('resident', null),
      (people, many) => people.ask('join', { url, tokens, count: many, conversationId }),
      count,
    )
  } finally {
    await peer.kill()
  }
}

async function costOfRaw(bench: EdgeBench, count: number, conversationId: string | null): Promise<number> {
  const raw = await startPeer<RawSocketsPeer>('raw-sockets', {}, { execArgv: ['--expose-gc'] })
  const url = await raw.ask('url', null)
  const tokens = await tokensOf(bench)
  try {
    return await growth(
      () => raw.ask('resident', null),
      (people, many) => people.ask('join', { url, tokens, count: many, conversationId }),
      count,
    )
  } finally {
    await raw.kill()
  }
}

/** The same credentials on both sides: the library keeps what it is shown. */
function tokensOf(bench: EdgeBench): Promise<string[]> {
  return Promise.all(Array.from({ length: USERS }, (_, user) => bench.token(`olga-${user}`, ['operator'])))
}

/** KiB of each socket. Some come first: what is made once, the size of the heap's young part too, is no cost of a socket. */
async function growth(
  resident: () => Promise<number>,
  join: (people: Awaited<ReturnType<typeof startPeer<BareSocketsPeer>>>, count: number) => Promise<void>,
  count: number,
): Promise<number> {
  const people = await startPeer<BareSocketsPeer>('bare-sockets', {})
  try {
    await join(people, FIRST)
    const before = await resident()
    await join(people, count)
    return ((await resident()) - before) / count / KIB
  } finally {
    await people.kill()
  }
}

const FIRST = 500
