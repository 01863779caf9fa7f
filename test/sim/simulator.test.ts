import { assert, suite } from '#test/kit/suite.ts'
import { simulate } from './simulate.ts'
import type { SimulationOptions } from './simulate.ts'

/** Few enough for every run of the tests; `node test/sim/main.ts` runs as many as wanted. */
const SEEDS = 20
const SEEDS_A_TEST = 4
const DEADLINE_MS = 60_000
/** A broken runtime may not settle at all; waiting long for it proves nothing more. */
const MUTANT_SETTLE_MS = 60_000

suite('the actor runtime under faults', ({ test }) => {
  for (let from = 1; from <= SEEDS; from += SEEDS_A_TEST) {
    test(
      `nothing is lost, done twice or out of order: seeds ${from} to ${from + SEEDS_A_TEST - 1}`,
      async () => {
        for (let seed = from; seed < from + SEEDS_A_TEST; seed++) {
          const { problems, handled } = await simulate({ seed })
          assert.equal(problems, [], `node test/sim/main.ts --seeds 1 --from ${seed} --trace`)
          assert.ok(handled > 100, 'a run in which nothing happens proves nothing')
        }
      },
      { deadlineMs: DEADLINE_MS },
    )
  }

  test('the same seed is the same run', async () => {
    const [one, other] = [await simulate({ seed: 3, steps: 25 }), await simulate({ seed: 3, steps: 25 })]
    assert.equal(one, other)
  })
})

suite('the simulator notices a runtime without', ({ test }) => {
  const noticed = (name: string, mutation: Omit<SimulationOptions, 'seed'>, sign: RegExp): void =>
    test(
      name,
      async () => {
        for (let seed = 1; seed <= SEEDS; seed++) {
          const { problems } = await simulate({ seed, settleMs: MUTANT_SETTLE_MS, ...mutation })
          if (problems.some((problem) => sign.test(problem))) return
        }
        assert.unreachable(`${SEEDS} seeds did not notice it`)
      },
      { deadlineMs: DEADLINE_MS },
    )
  noticed('the epoch lock', { mutations: { noEpochLock: true } }, /committed under e\d+ after e\d+ was minted/)
  noticed('the outbox', { mutations: { noOutbox: true } }, /expected \d|the log tells of/)
  noticed('voiding', { voiding: false }, /is of e\d+ after e\d+/)
})
