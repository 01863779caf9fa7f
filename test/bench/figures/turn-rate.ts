import { benchPglite, benchPostgres, refreshPlans } from '../databases.ts'
import type { BenchDatabase } from '../databases.ts'
import { ROUNDS, interleave } from '../interleave.ts'
import { startPeer } from '../peer.ts'
import type { GraphPeer } from '../peers/graph.ts'
import type { Figure, FigureOptions, Row } from '../row.ts'
import { turnBench } from '../turn-bench.ts'
import type { Layout } from '../turn-bench.ts'

const IN_FLIGHT = 50
const TURNS = 600
const WARM_UP = 400
const PER_CONVERSATION = 5
const TENANT = 'acme'
const LEAST_RATIO = 0.25
const LEAST_RATE = 80

/** Conversations apart from the work on them, which takes the most: each about a core's worth. */
export const LAYOUT: Layout = { supervisor: ['supervisor', 'desk'], agents: ['agents', 'guardrails', 'tools'] }

/**
 * Whole turns a second: a message is sent, stored, routed by a model among two agents, answered by a run of the agent graph
 * with one tool call over HTTP and TOKENS pieces of text, and its end is read in the log by whoever had sent it. Beside it
 * the two graphs alone, in one process, with LangGraph's memory saver.
 */
export const figure: Figure = {
  name: 'turn-rate',
  async run(options) {
    const bar = `>= ${LEAST_RATIO}x and >= ${LEAST_RATE} turns/s`
    const postgres = await benchPostgres(options.say)
    const rows: Row[] = []
    if ('problem' in postgres) rows.push({ ...EMPTY, name: 'turn-rate', bar, note: postgres.problem })
    else {
      const measured = await measure(postgres, options)
      const ok = measured.ratio >= LEAST_RATIO && measured.value >= LEAST_RATE
      rows.push({ ...EMPTY, ...measured, name: 'turn-rate', bar, ok })
    }
    const beside = await measure(await benchPglite(), options)
    return [...rows, { ...EMPTY, ...beside, name: 'turn-rate/pglite', bar: 'reported' }]
  },
}

async function measure(
  database: BenchDatabase,
  { quick }: FigureOptions,
): Promise<{ value: number; baseline: number; ratio: number; note: string }> {
  const bench = await turnBench({ database, layout: LAYOUT, tenants: [TENANT] })
  const graph = await startPeer<GraphPeer>('graph', {})
  const order = { inFlight: IN_FLIGHT, tenants: [TENANT], perConversation: PER_CONVERSATION }
  const turns = quick ? IN_FLIGHT : TURNS
  const latencies: string[] = []
  try {
    await bench.run({ ...order, turns: quick ? IN_FLIGHT : WARM_UP })
    await refreshPlans(database.url)
    await graph.ask('run', { turns, inFlight: IN_FLIGHT })
    const result = await interleave(
      quick ? 1 : ROUNDS,
      async () => {
        const done = await bench.run({ ...order, turns })
        latencies.push(`${done.p50.toFixed(0)}/${done.p99.toFixed(0)}`)
        return done.perSecond
      },
      () => graph.ask('run', { turns, inFlight: IN_FLIGHT }),
    )
    return { ...result, note: `${database.version}; ${result.note}; p50/p99 of a turn in ms ${latencies.join(', ')}` }
  } finally {
    await graph.stop()
    await bench.stop()
    await database.stop()
  }
}

const EMPTY = { value: null, unit: 'turns/s', baseline: null, ratio: null, ok: null } as const
