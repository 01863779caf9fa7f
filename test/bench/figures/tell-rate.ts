import { benchPglite } from '../databases.ts'
import { ROUNDS } from '../interleave.ts'
import type { Figure } from '../row.ts'
import { tellBench } from '../tell-bench.ts'

const COUNT = 20_000
const LEAST = 0.5

/** Durable commands to an actor declared stateless, 64 keys: sent, handled, acknowledged. */
export const figure: Figure = {
  name: 'tell-rate',
  async run({ quick }) {
    // Only its partitions' epochs are there: nothing is written while it runs.
    const database = await benchPglite()
    try {
      const result = await tellBench({
        database,
        state: false,
        rounds: quick ? 1 : ROUNDS,
        count: quick ? 500 : COUNT,
      })
      return [{ name: 'tell-rate', unit: 'commands/s', bar: `>= ${LEAST}x`, ok: result.ratio >= LEAST, ...result }]
    } finally {
      await database.stop()
    }
  },
}
