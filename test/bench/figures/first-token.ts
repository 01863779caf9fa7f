import { benchPostgres, refreshPlans } from '../databases.ts'
import { ROUNDS, median } from '../interleave.ts'
import type { Figure } from '../row.ts'
import { turnBench } from '../turn-bench.ts'
import type { Layout } from '../turn-bench.ts'

const TURNS = 100
const WARM_UP = 200
const PER_CONVERSATION = 5
const TENANT = 'acme'
const MOST_MS = 40
const AIM_MS = 10

const LAYOUT: Layout = { supervisor: ['supervisor', 'directory'], agents: ['agents', 'guardrails', 'tools'] }

/**
 * How long a customer looks at nothing: from the socket's emit of `message:send` to the first text of the answer at the
 * same client, one turn after the other, through a gateway. In between lie routing by a model, a run of the agent graph
 * with a tool call over HTTP, and the guardrails; the models answer at once.
 */
export const figure: Figure = {
  name: 'first-token',
  async run({ quick, say }) {
    const row = { name: 'first-token', unit: 'ms', baseline: null, ratio: null, bar: `<= ${MOST_MS} ms` }
    const database = await benchPostgres(say)
    if ('problem' in database) return [{ ...row, value: null, ok: null, note: database.problem }]
    const bench = await turnBench({ database, layout: LAYOUT, tenants: [TENANT], edge: true })
    const order = { inFlight: 1, tenants: [TENANT], perConversation: PER_CONVERSATION }
    try {
      await bench.run({ ...order, turns: quick ? 5 : WARM_UP })
      await refreshPlans(database.url)
      const firsts: number[] = []
      const wholes: number[] = []
      for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
        const done = await bench.run({ ...order, turns: quick ? 10 : TURNS })
        firsts.push(done.firstTextP50 ?? Number.NaN)
        wholes.push(done.p50)
      }
      const value = median(firsts)
      const rounds = `p50 by round ${Math.min(...firsts).toFixed(1)} to ${Math.max(...firsts).toFixed(1)}`
      const note = `${database.version}; ${rounds}; aim ${AIM_MS} ms; the whole turn ${median(wholes).toFixed(1)} ms`
      return [{ ...row, value, ok: value <= MOST_MS, note }]
    } finally {
      await bench.stop()
      await database.stop()
    }
  },
}
