import { benchPglite, benchPostgres } from '../databases.ts'
import type { BenchDatabase } from '../databases.ts'
import type { Figure, FigureOptions, Row } from '../row.ts'
import { turnBench } from '../turn-bench.ts'
import { LAYOUT } from './turn-rate.ts'

const TENANT = 'acme'
const IN_FLIGHT = 40
const IN_FLIGHT_QUICK = 6
const STOPS = 1_000
const WARM_UP = 80
const MOST_MS = 150

/**
 * How long a turn is still heard after somebody has sent a stop, while IN_FLIGHT runs stream words or call tools without
 * end: from the stop at its sender to the last piece of text, and to the last start of a tool, as a reader of the log has
 * them. Nothing may come after the end of a turn.
 */
export const figure: Figure = {
  name: 'stop-latency',
  async run(options) {
    const postgres = await benchPostgres(options.say)
    return await measure('problem' in postgres ? await benchPglite() : postgres, options)
  },
}

async function measure(database: BenchDatabase, { quick }: FigureOptions): Promise<Row[]> {
  const bench = await turnBench({ database, layout: LAYOUT, tenants: [TENANT], script: 'endless', stopping: true })
  try {
    const inFlight = quick ? IN_FLIGHT_QUICK : IN_FLIGHT
    const order = { inFlight, tenant: TENANT }
    if (!quick) await bench.stops({ ...order, stops: WARM_UP })
    const { text, tool, end, late, otherwise } = await bench.stops({ ...order, stops: quick ? 2 * inFlight : STOPS })
    const ends = `end of the turn p50/p99 ${quantile(end, 0.5).toFixed(0)}/${quantile(end, 0.99).toFixed(0)} ms`
    const row = (part: string, values: readonly number[]): Row => ({
      name: `stop-latency/${part}`,
      value: quantile(values, 0.99),
      unit: 'ms',
      baseline: null,
      ratio: null,
      bar: `p99 <= ${MOST_MS} ms, nothing after the end`,
      ok: quantile(values, 0.99) <= MOST_MS && late === 0 && otherwise === 0,
      note: `${database.version}; ${values.length} stops, ${inFlight} at work; p50 ${quantile(values, 0.5).toFixed(0)} ms, max ${Math.max(...values).toFixed(0)} ms; ${ends}; ${late} late, ${otherwise} not stopped`,
    })
    return [row('text', text), row('tool', tool)]
  } finally {
    await bench.stop()
    await database.stop()
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}
