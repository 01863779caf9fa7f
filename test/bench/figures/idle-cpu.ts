import { setTimeout as delay } from 'node:timers/promises'

import { startStackProcess } from '#test/kit/stack-process.ts'

import { cpuMsOfTree } from '../cpu.ts'
import type { Figure } from '../row.ts'

const WATCHED_MS = 60_000
/** What the start leaves to be done, such as looks for old rows and work of the compiler. */
const SETTLING_MS = 15_000
const MOST_PERCENT = 3

/** `npm start` with nothing happening: processor time of its process and nats-server, percent of one core. */
export const figure: Figure = {
  name: 'idle-cpu',
  async run({ quick }) {
    const stack = await startStackProcess()
    try {
      await delay(quick ? 1_000 : SETTLING_MS)
      const before = await cpuMsOfTree(stack.pid)
      const started = performance.now()
      await delay(quick ? 2_000 : WATCHED_MS)
      const after = await cpuMsOfTree(stack.pid)
      const row = { name: 'idle-cpu', unit: '%', baseline: null, ratio: null, bar: `<= ${MOST_PERCENT} % of a core` }
      if (before === null || after === null) return [{ ...row, value: null, ok: null, note: 'no /proc here' }]
      const value = ((after - before) * 100) / (performance.now() - started)
      return [{ ...row, value, ok: value <= MOST_PERCENT }]
    } finally {
      await stack.stop()
    }
  },
}
