/**
 * `node deploy/move-log.ts TENANT`: gives a tenant a stream of its own for its log, on a running swarm (NATS_URL and the
 * broker's credentials, as for every role). What the tenant says waits meanwhile, for moments; cursors stay good. There is
 * no way back.
 */
import { readConfig } from '#shared/config/config.ts'
import { Log } from '#shared/contracts/log.ts'
import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { delay, systemClock } from '#shared/lib/clock.ts'
import { joinSwarm } from '#shared/process/join-swarm.ts'
import { encodeName } from '#shared/wire/names.ts'

const LONGEST_MS = 120_000
const ASK_EVERY_MS = 500
const USAGE = 'Usage: node deploy/move-log.ts TENANT'

async function move(tenant: string): Promise<string> {
  const { transport, system } = await joinSwarm(readConfig(process.env), 'move-log')
  try {
    const principal = { tenant, user: 'platform', roles: ['platform'], scopes: [], credential: '' }
    const keeper = system.reach(principal).pool(Log, 'keeper')
    await keeper.ask('move', {})
    const until = systemClock.elapsed() + LONGEST_MS
    for (;;) {
      const { own } = await keeper.ask('logs', {})
      const place = own.find((one) => one.tenant === tenant)
      if (place !== undefined)
        return `${tenant} goes on in ${place.stream}, from ${place.from}; before that in EVT, up to ${place.after}.\n`
      if (systemClock.elapsed() > until)
        throw new WaggleError('DEADLINE', {
          reason: `It is not there after ${LONGEST_MS} ms; it will be when every node answers.`,
        })
      await delay(systemClock, ASK_EVERY_MS)
    }
  } finally {
    await system.stop()
    await transport.close()
  }
}

const [tenant] = process.argv.slice(2)
if (tenant === undefined || tenant.startsWith('-')) {
  process.stdout.write(`${USAGE}\n`)
  process.exitCode = tenant === '--help' ? 0 : 2
} else {
  try {
    process.stdout.write(await move(encodeName(tenant)))
  } catch (error) {
    const { code, message } = coded(error)
    process.stderr.write(`error ${code}: ${message}\n`)
    process.exitCode = 1
  }
}
