/** `npm run test:chaos -- [--seed N] [--kills N]`: kills under load, with real processes. Ends with `N passed, N failed`. */
import { parseArgs } from 'node:util'
import { startPglite } from '#shared/db/embedded/pglite.ts'
import { startPostgres } from '#deploy/provision/postgres.ts'
import { clearRunFolder, createRunFolder } from '#test/kit/scratch.ts'
import { twoNodes } from './two-nodes.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '20' },
    lease: { type: 'string', default: '2000' },
    conversations: { type: 'string', default: '16' },
  },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const folder = await createRunFolder()
process.env['WAGGLE_TEST_TMP'] = folder
const started = await startPostgres({ under: folder, onProgress: () => {} })
const pglite = 'server' in started ? null : await startPglite()
const databaseUrl = 'server' in started ? started.server.url : pglite!.url
say(
  `seed ${values.seed}, ${values.kills} kills, lease ${values.lease} ms, ${'server' in started ? `PostgreSQL ${started.server.version}` : 'PGlite'}`,
)
let failed = 0
try {
  const { problems, figures } = await twoNodes({
    seed: Number(values.seed),
    kills: Number(values.kills),
    leaseMs: Number(values.lease),
    conversations: Number(values.conversations),
    databaseUrl,
    say,
  })
  for (const problem of problems.slice(0, 40)) say(`  ${problem}`)
  say(JSON.stringify(figures))
  failed = problems.length === 0 ? 0 : 1
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  failed = 1
}
if ('server' in started) await started.server.stop()
await pglite?.stop()
await clearRunFolder(folder)
say(`${1 - failed} passed, ${failed} failed`)
process.exit(failed)
