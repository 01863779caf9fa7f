import { benchPostgres, refreshPlans } from '../databases.ts'
import { ROUNDS, median } from '../interleave.ts'
import type { Figure, Row } from '../row.ts'
import { cpuPerTurn, turnBench } from '../turn-bench.ts'
import type { Layout, TurnBench } from '../turn-bench.ts'

const TURNS = 200
const WARM_UP = 400
const IN_FLIGHT = 10
const PER_CONVERSATION = 5
const COUNTS = [1, 10, 100] as const
const PROCESSES = ['gateway', 'services', 'nats', 'postgres'] as const
const WITHIN = 0.15
const TOTAL = 'total'

const LAYOUT: Layout = { services: ['supervisor', 'agents', 'guardrails', 'tools', 'directory'] }

type Costs = Map<number, Readonly<Record<string, number>>[]>

/**
 * Processor time of a whole turn by process, with the same load spread over 1, 10 and 100 tenants: people come as sockets,
 * a new one for each conversation. The turns of a round go round the tenants; rounds of the three counts alternate. Flat
 * means that neither 10 nor 100 tenants cost more than a part WITHIN above or below one.
 */
export const figure: Figure = {
  name: 'cpu-per-turn',
  async run({ quick, say }) {
    const database = await benchPostgres(say)
    if ('problem' in database)
      return [{ ...EMPTY, name: 'cpu-per-turn', bar: `flat within ${WITHIN * 100} %`, note: database.problem }]
    const tenants = Array.from({ length: COUNTS.at(-1)! }, (_, number) => `tenant-${number}`)
    const bench = await turnBench({ database, layout: LAYOUT, tenants, edge: true })
    try {
      // Every tenant has been there: what is read once for each is read.
      await turns(bench, tenants, quick ? COUNTS.at(-1)! : WARM_UP)
      await refreshPlans(database.url)
      const costs: Costs = new Map(COUNTS.map((count) => [count, []]))
      for (let round = 0; round < (quick ? 1 : ROUNDS); round++)
        for (const count of COUNTS)
          costs.get(count)!.push(await turns(bench, tenants.slice(0, count), quick ? 20 : TURNS))
      return rowsOf(costs, database.version)
    } finally {
      await bench.stop()
      await database.stop()
    }
  },
}

async function turns(
  bench: TurnBench,
  tenants: readonly string[],
  count: number,
): Promise<Readonly<Record<string, number>>> {
  const before = await bench.cpu()
  await bench.run({ turns: count, inFlight: IN_FLIGHT, tenants, perConversation: PER_CONVERSATION })
  const cost = cpuPerTurn(before, await bench.cpu(), count)
  return { ...cost, [TOTAL]: PROCESSES.reduce((sum, name) => sum + (cost[name] ?? 0), 0) }
}

function rowsOf(costs: Costs, version: string): Row[] {
  const mediansOf = (name: string): number[] =>
    COUNTS.map((count) => median(costs.get(count)!.map((cost) => cost[name] ?? Number.NaN)))
  const row = (name: string): Pick<Row, 'value' | 'unit' | 'baseline' | 'ratio'> & { readonly note: string } => {
    const medians = mediansOf(name)
    const [one = Number.NaN] = medians
    const value = medians.at(-1)!
    const note = COUNTS.map((count, index) => `${count} tenants ${medians[index]!.toFixed(1)}`).join(', ')
    return { value, unit: 'ms', baseline: one, ratio: value / one, note }
  }
  const [one = Number.NaN, ...more] = mediansOf(TOTAL)
  const ok = more.every((cost) => Math.abs(cost / one - 1) <= WITHIN)
  const total = row(TOTAL)
  return [
    { ...total, name: 'cpu-per-turn', bar: `flat within ${WITHIN * 100} %`, ok, note: `${version}; ${total.note}` },
    ...PROCESSES.map((name) => ({ ...row(name), name: `cpu-per-turn/${name}`, bar: 'reported', ok: null })),
  ]
}

const EMPTY = { value: null, unit: 'ms', baseline: null, ratio: null, ok: null } as const
