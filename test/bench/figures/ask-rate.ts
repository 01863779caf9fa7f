import { askBench } from '../ask-bench.ts'
import { ROUNDS, interleave } from '../interleave.ts'
import type { Figure } from '../row.ts'

const IN_FLIGHT = 64
const CALLS = 40_000
const LEAST = 0.55

/** As ask-p50, with many calls under way. */
export const figure: Figure = {
  name: 'ask-rate',
  async run({ quick }) {
    const bench = await askBench()
    try {
      const calls = quick ? 200 : CALLS
      await rateOf(calls, bench.ours)
      await rateOf(calls, bench.raw)
      const result = await interleave(
        quick ? 1 : ROUNDS,
        () => rateOf(calls, bench.ours),
        () => rateOf(calls, bench.raw),
      )
      return [{ name: 'ask-rate', unit: 'calls/s', bar: `>= ${LEAST}x`, ok: result.ratio >= LEAST, ...result }]
    } finally {
      await bench.stop()
    }
  },
}

async function rateOf(calls: number, call: () => Promise<void>): Promise<number> {
  let left = calls
  const started = performance.now()
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  return (calls * 1_000) / (performance.now() - started)
}
