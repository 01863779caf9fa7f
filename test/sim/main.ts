/**
 * `node test/sim/main.ts --seeds N --from S` runs N seeded simulations of the actor runtime, from seed S on, and prints
 * each seed that fails with what is wrong. `--trace` prints what was done to it; `--steps N` makes runs longer or shorter.
 */
import { parseArgs } from 'node:util'
import { DEFAULT_STEPS, simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    steps: { type: 'string', default: String(DEFAULT_STEPS) },
    trace: { type: 'boolean', default: false },
    'no-epoch-lock': { type: 'boolean', default: false },
    'no-outbox': { type: 'boolean', default: false },
    'no-voiding': { type: 'boolean', default: false },
  },
})

const from = Number(values.from)
let failed = 0
let handled = 0
const started = performance.now()
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const result = await simulate({
    seed,
    steps: Number(values.steps),
    voiding: !values['no-voiding'],
    mutations: { noEpochLock: values['no-epoch-lock'], noOutbox: values['no-outbox'] },
  })
  handled += result.handled
  if (values.trace) process.stdout.write(`${result.notes.join('\n')}\n`)
  if (result.problems.length === 0) continue
  failed++
  process.stdout.write(
    `seed ${seed} fails:\n${result.problems
      .slice(0, 12)
      .map((problem) => `  ${problem}\n`)
      .join('')}`,
  )
}
const seconds = ((performance.now() - started) / 1_000).toFixed(1)
process.stdout.write(`${Number(values.seeds) - failed} passed, ${failed} failed (${handled} commits, ${seconds} s)\n`)
process.exitCode = failed > 0 ? 1 : 0
