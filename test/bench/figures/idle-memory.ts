import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { benchPostgres, refreshPlans } from '../databases.ts'
import type { Held } from '../held.ts'
import type { Figure, Row } from '../row.ts'
import { turnBench } from '../turn-bench.ts'
import type { Layout, TurnBench } from '../turn-bench.ts'

const CONVERSATIONS = 10_000
/** Before the first look: caches are filled, code is compiled. */
const WARM_UP = 1_000
const IN_FLIGHT = 10
const TENANT = 'acme'
const SLEEP_AFTER_MS = 2_000
const ASLEEP_WITHIN_MS = 60_000
const LOOK_MS = 250
const MIB = 1024 * 1024
const MOST_HEAP = 2 * MIB

const LAYOUT: Layout = {
  supervisor: ['supervisor', 'directory'],
  agents: ['agents', 'guardrails', 'tools'],
}

/**
 * What is left of conversations when nobody speaks any more: each had a socket, a supervisor, an agent and a whole turn.
 * Looked at before and after, in gateway and services together: entries in the registry (activations, runs, calls), timers,
 * subscriptions as nats-server counts them, and the heap after a forced collection.
 */
export const figure: Figure = {
  name: 'idle-memory',
  async run({ quick, say }) {
    const database = await benchPostgres(say)
    if ('problem' in database)
      return [{ ...head('entries'), value: null, unit: '', bar: '0', ok: null, note: database.problem }]
    const monitor = await freePort()
    const bench = await turnBench({
      database,
      layout: LAYOUT,
      tenants: [TENANT],
      edge: true,
      sleepAfterMs: SLEEP_AFTER_MS,
      execArgv: ['--expose-gc'],
      natsConfig: `http: 127.0.0.1:${monitor}`,
    })
    const use = (turns: number): Promise<unknown> =>
      bench.run({ turns, inFlight: IN_FLIGHT, tenants: [TENANT], perConversation: 1 })
    const count = quick ? 20 : CONVERSATIONS
    try {
      await use(quick ? 20 : WARM_UP)
      await refreshPlans(database.url)
      await use(quick ? 10 : WARM_UP)
      const before = await atRest(bench, monitor)
      for (let used = 0; used < count; used += PART) {
        await use(Math.min(PART, count))
        say(`${Math.min(used + PART, count)} of ${count} conversations used`)
      }
      return rowsOf(before, await atRest(bench, monitor), count)
    } finally {
      await bench.stop()
      await database.stop()
    }
  },
}

/** Conversations between two words of progress. */
const PART = 500

interface Rest {
  readonly held: Readonly<Record<string, Held>>
  readonly subscriptions: number
}

/** When all sleep, or as they are after ASLEEP_WITHIN_MS. */
async function atRest(bench: TurnBench, monitor: number): Promise<Rest> {
  for (const until = performance.now() + ASLEEP_WITHIN_MS; ;) {
    const held = await bench.held()
    if (sum(held, ({ entries }) => entries) === 0 || performance.now() > until) break
    await delay(LOOK_MS)
  }
  // A feed of the gateway outlives its last reader a little.
  await delay(LINGER_MS)
  return { held: await bench.held(), subscriptions: await subscriptionsOf(monitor) }
}

const LINGER_MS = 5_000

function rowsOf(before: Rest, after: Rest, count: number): Row[] {
  const bytes = (held: Held): number => held.heapBytes ?? Number.NaN
  const timers = sum(after.held, (held) => held.timers) - sum(before.held, (held) => held.timers)
  const subscriptions = after.subscriptions - before.subscriptions
  const entries = sum(after.held, (held) => held.entries)
  const heap = sum(after.held, bytes) - sum(before.held, bytes)
  const byProcess = Object.entries(after.held).map(([name, held]) => {
    const grown = bytes(held) - bytes(before.held[name]!)
    return `${name} ${(grown / MIB).toFixed(2)} of ${(bytes(held) / MIB).toFixed(0)}`
  })
  const more = (name: string, value: number, note: string): Row => ({
    ...head(name),
    value,
    unit: 'more',
    bar: '0',
    ok: value <= 0,
    note,
  })
  const held = sum(before.held, (one) => one.timers)
  return [
    { ...more('entries', entries, `after ${count} conversations`), unit: 'left' },
    more('timers', timers, `before: ${held}`),
    more('subscriptions', subscriptions, `before: ${before.subscriptions}`),
    {
      ...head('heap'),
      value: heap / MIB,
      unit: 'MiB more',
      bar: `<= ${MOST_HEAP / MIB} MiB`,
      ok: heap <= MOST_HEAP,
      note: byProcess.join(', '),
    },
  ]
}

function head(part: string): { readonly name: string; readonly baseline: null; readonly ratio: null } {
  return { name: `idle-memory/${part}`, baseline: null, ratio: null }
}

function sum(held: Readonly<Record<string, Held>>, of: (held: Held) => number): number {
  return Object.values(held).reduce((total, one) => total + of(one), 0)
}

async function subscriptionsOf(monitor: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${monitor}/connz`)
  const { connections } = (await response.json()) as { connections: readonly { subscriptions: number }[] }
  return connections.reduce((total, { subscriptions }) => total + subscriptions, 0)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}
