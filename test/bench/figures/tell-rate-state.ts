import { benchPglite, benchPostgres } from '../databases.ts'
import type { BenchDatabase } from '../databases.ts'
import { ROUNDS } from '../interleave.ts'
import type { Figure, Row } from '../row.ts'
import { tellBench } from '../tell-bench.ts'

const COUNT = 10_000
const COUNT_PGLITE = 2_000
const LEAST = 0.6

/** As tell-rate, with state, processed ids and an event through the outbox: PostgreSQL as in production, PGlite beside it. */
export const figure: Figure = {
  name: 'tell-rate-state',
  async run({ quick, say }) {
    const rounds = quick ? 1 : ROUNDS
    const rows: Row[] = []
    const postgres = await benchPostgres(say)
    if ('problem' in postgres) {
      rows.push({ ...EMPTY, name: 'tell-rate-state', bar: `>= ${LEAST}x`, note: postgres.problem })
    } else {
      const result = await measured(postgres, rounds, quick ? 500 : COUNT)
      const note = `${postgres.version}; ${result.note}`
      rows.push({ ...EMPTY, ...result, name: 'tell-rate-state', bar: `>= ${LEAST}x`, ok: result.ratio >= LEAST, note })
    }
    const pglite = await measured(await benchPglite(), rounds, quick ? 200 : COUNT_PGLITE)
    return [...rows, { ...EMPTY, ...pglite, name: 'tell-rate-state/pglite', bar: 'reported' }]
  },
}

async function measured(database: BenchDatabase, rounds: number, count: number): ReturnType<typeof tellBench> {
  try {
    return await tellBench({ database, state: true, rounds, count })
  } finally {
    await database.stop()
  }
}

const EMPTY = { value: null, unit: 'commands/s', baseline: null, ratio: null, ok: null } as const
