/**
 * `npm run test:chaos -- [--list] [--only NAME[,NAME]] [--seed N] [--long] [--nats oldest]`: faults under load, with real
 * processes and servers. One JSON line for each scenario; ends with `N passed, N failed`.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { coerceError } from '#shared/errors/waggle-error.ts'
import { seededRandom } from '#shared/lib/random.ts'
import { natsBinaries } from '#test/kit/nats-server.ts'
import { provision } from '#test/kit/provision.ts'
import type { Outcome, Scenario } from './scenario.ts'
import { World } from './world/world.ts'

/** Lets every takeover happen many times in a run; production has 6,000. */
const LEASE_MS = 2_000
const SHOWN_PROBLEMS = 20
const USAGE = 'Usage: npm run test:chaos -- [--list] [--only NAME,NAME] [--seed N] [--long] [--nats oldest|newest]'

const values = readOptions()
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const all = await scenarios()
if (values.list) {
  for (const { name, about } of all) say(`${name.padEnd(20)}${about}`)
  process.exit(0)
}
const only = values.only.split(',').filter((name) => name !== '')
const unknown = only.filter((name) => !all.some((one) => one.name === name))
if (unknown.length > 0 || !['oldest', 'newest'].includes(values.nats)) {
  say(unknown.length > 0 ? `There is no scenario ${unknown.join(', ')}; see --list.` : '--nats is oldest or newest.')
  process.exit(2)
}
const nats = values.nats as 'oldest' | 'newest'
const provided = await provision(say)
Object.assign(process.env, provided.env)
const binaries = await natsBinaries()
say(
  `seed ${values.seed}, LEASE_MS ${LEASE_MS}, nats-server ${(nats === 'oldest' ? binaries[0] : binaries.at(-1))?.version ?? 'missing'}; ${provided.summary.join('; ')}`,
)
const giveUp = (): void => void provided.end().finally(() => process.exit(130))
process.once('SIGINT', giveUp).once('SIGTERM', giveUp)
let passed = 0
let failed = 0
for (const scenario of all) {
  if (only.length > 0 && !only.includes(scenario.name)) continue
  const missing = missingFor(scenario)
  if (missing !== null) {
    say(JSON.stringify({ scenario: scenario.name, skipped: missing }))
    continue
  }
  const begun = performance.now()
  const outcome = await run(scenario)
  const seconds = Math.round((performance.now() - begun) / 100) / 10
  for (const problem of outcome.problems.slice(0, SHOWN_PROBLEMS)) say(`  ${problem}`)
  if (outcome.problems.length > SHOWN_PROBLEMS) say(`  … ${outcome.problems.length} in all`)
  const passes = outcome.problems.length === 0
  if (passes) passed++
  else failed++
  say(
    JSON.stringify({
      scenario: scenario.name,
      passed: passes,
      seed: Number(values.seed),
      leaseMs: LEASE_MS,
      seconds,
      ...outcome.figures,
      problems: outcome.problems.length,
    }),
  )
}
for (const left of await provided.end()) say(`left running and ended: ${left}`)
say(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

async function scenarios(): Promise<readonly Scenario[]> {
  const folder = join(import.meta.dirname, 'scenarios')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).toSorted()
  return await Promise.all(
    files.map(async (file) => {
      const { default: _, ...exported } = (await import(join(folder, file))) as Record<string, Scenario>
      const found = Object.values(exported).find((value) => `${value.name}.ts` === file)
      if (found === undefined) throw new Error(`${file} exports no scenario of its name`)
      return found
    }),
  )
}

function missingFor({ newestOnly, needsPostgres }: Scenario): string | null {
  if (newestOnly === true && nats === 'oldest') return 'needs the newest nats-server'
  if (needsPostgres === true && process.env['WAGGLE_TEST_PG'] === undefined) return 'needs a PostgreSQL'
  return null
}

async function run(scenario: Scenario): Promise<Outcome> {
  const worlds: World[] = []
  const seed = Number(values.seed)
  try {
    return await scenario.run({
      seed,
      random: seededRandom(seed),
      leaseMs: LEASE_MS,
      long: values.long,
      nats,
      say: (line) => say(`  ${scenario.name}: ${line}`),
      world: async (options) => {
        const world: World = await World.open({ seed, random: seededRandom(seed), leaseMs: LEASE_MS, nats }, options)
        worlds.push(world)
        return world
      },
    })
  } catch (error) {
    return { problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)], figures: {} }
  } finally {
    for (const world of worlds) await world.close()
  }
}

function readOptions(): { list: boolean; only: string; seed: string; long: boolean; nats: string } {
  try {
    return parseArgs({
      options: {
        list: { type: 'boolean', default: false },
        only: { type: 'string', default: '' },
        seed: { type: 'string', default: '1' },
        long: { type: 'boolean', default: false },
        nats: { type: 'string', default: 'newest' },
      },
    }).values
  } catch (error) {
    process.stderr.write(`${coerceError(error).message}\n${USAGE}\n`)
    process.exit(2)
  }
}
