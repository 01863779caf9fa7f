import { Client } from 'pg'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import { KEEPS_COMMITS } from './postgres-restart.ts'

const CONNECTIONS = 40
const ROUNDS = 2
const ROUNDS_LONG = 10

export const postgresExhausted = scenario({
  name: 'postgres-exhausted',
  about:
    'All connections of PostgreSQL taken by others, and those of the processes ended: it goes on when there are some again.',
  needsPostgres: true,
  async run({ random, long, say, world: open }) {
    const world = await open({ ownPostgres: `${KEEPS_COMMITS}\nmax_connections = ${CONNECTIONS}` })
    const stage = await setStage(world)
    const rounds = long ? ROUNDS_LONG : ROUNDS
    let taken = 0
    for (let round = 0; round < rounds; round++) {
      await pause(1_500, 2_500, random)
      const held = await takeAll(world.databaseUrl)
      taken = Math.max(taken, held.length)
      const before = stage.accepted()
      await pause(4_000, 6_000, random)
      const meanwhile = stage.accepted() - before
      await Promise.all(held.map((client) => client.end().catch(() => {})))
      await stage.goesOn('the connections were free again')
      say(`round ${round + 1}: ${held.length} connections held by others; ${meanwhile} accepted meanwhile`)
    }
    await stage.quiet()
    const { problems, figures } = await settle(world, stage)
    return { problems, figures: { rounds, taken, ...figures } }
  },
})

/** Ends the sessions of everybody else and takes their places, until nobody gets one any more. */
async function takeAll(url: string): Promise<Client[]> {
  const held: Client[] = []
  for (let refused = 0; refused < 3;) {
    const client = new Client({ connectionString: url, application_name: 'exhaust' })
    client.on('error', () => {})
    try {
      await client.connect()
      held.push(client)
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where backend_type = 'client backend' and application_name not in ('exhaust', 'checks', 'checks runtime') limit 2`,
      )
    } catch {
      refused++
    }
  }
  return held
}
