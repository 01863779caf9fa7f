import { askBench } from '../ask-bench.ts'
import { ROUNDS, interleave, median } from '../interleave.ts'
import type { Figure } from '../row.ts'

const CALLS = 3_000
const MOST = 1.35

/** One call after the other: what an ask adds to the round trip of the broker. */
export const figure: Figure = {
  name: 'ask-p50',
  async run({ quick }) {
    const bench = await askBench()
    try {
      const calls = quick ? 20 : CALLS
      await p50Of(calls, bench.ours)
      await p50Of(calls, bench.raw)
      const result = await interleave(
        quick ? 1 : ROUNDS,
        () => p50Of(calls, bench.ours),
        () => p50Of(calls, bench.raw),
      )
      return [{ name: 'ask-p50', unit: 'ms', bar: `<= ${MOST}x`, ok: result.ratio <= MOST, ...result }]
    } finally {
      await bench.stop()
    }
  },
}

async function p50Of(calls: number, call: () => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < calls; index++) {
    const started = performance.now()
    await call()
    times.push(performance.now() - started)
  }
  return median(times)
}
