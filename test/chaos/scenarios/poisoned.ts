import { EVENTS } from '#shared/actor/streams.ts'
import { Agent } from '#shared/contracts/agent.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { encodeKey, encodeName } from '#shared/wire/names.ts'
import { commandSubject, eventSubject, partitionOf } from '#shared/wire/subjects.ts'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { eventually, pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import { Crasher } from '../world/crasher.ts'
import { AGENT, TENANT } from '../world/seed.ts'
import { SERVICES, principalOf } from '../world/world.ts'
import type { World } from '../world/world.ts'

const GARBAGE = 30
const CRASHES = 8
const LONGER = 10
const BURIED_MS = 60_000

export const poisoned = scenario({
  name: 'poisoned',
  about:
    'Bytes nobody can decode and commands that crash their handler: dead letters with their bytes, and nobody blocked.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const stage = await setStage(world, { roles: [...SERVICES, 'crasher'] })
    const problems: string[] = []
    const factor = long ? LONGER : 1
    const sent = new Map<string, Buffer>()
    for (let index = 0; index < GARBAGE * factor; index++) {
      await pause(50, 200, random)
      const bytes = Buffer.from(
        Array.from({ length: 1 + Math.floor(random() * 200) }, () => Math.floor(random() * 256)),
      )
      const subject = anySubject(random)
      await world.transport.append(subject, bytes, { messageId: `poison-${index}` })
      sent.set(bytes.toString('hex'), bytes)
    }
    // Also into the log itself: readers and keepers of it must get over it.
    for (let index = 0; index < 3; index++)
      await world.transport.append(eventSubject(TENANT, encodeName(`c${index}`), 'pub'), Buffer.from([0xc1, index]), {
        messageId: `poison-log-${index}`,
      })
    problems.push(...(await crash(world, CRASHES * factor)))
    // A connection that breaks makes everybody who keeps the log read it again.
    await world.nats.kill()
    await world.nats.restart()
    say(`${sent.size} undecodable commands, ${CRASHES * factor} crashing ones; ${stage.accepted()} accepted`)
    await stage.quiet()
    const settled = await settle(world, stage)
    const buried = async (): Promise<{ code: string; hex: string }[]> =>
      await world.database.tenant(TENANT, (sql) =>
        sql.query(`select code, encode(payload, 'hex') as hex from dead_letters where tenant = $1`, [TENANT]),
      )
    const expected = sent.size + CRASHES * factor
    await eventually(async () => (await buried()).length >= expected, BURIED_MS, 500)
    const letters = await buried()
    if (letters.length !== expected)
      problems.push(`${expected} commands were poisoned, ${letters.length} are dead letters`)
    const found = new Set(letters.map(({ hex }) => hex))
    for (const hex of sent.keys())
      if (!found.has(hex)) problems.push(`no dead letter has the bytes ${hex.slice(0, 40)}`)
    const codes = Object.groupBy(letters, ({ code }) => code)
    say(
      Object.entries(codes)
        .map(([code, list]) => `${list?.length} ${code}`)
        .join(', '),
    )
    const { firstSequence, lastSequence } = await world.transport.streamInfo(EVENTS)
    return {
      problems: [...problems, ...settled.problems],
      figures: {
        undecodable: sent.size,
        crashing: CRASHES * factor,
        letters: letters.length,
        unreadableEntries: settled.truth.unreadable,
        entries: lastSequence - firstSequence + 1,
        ...settled.figures,
      },
    }
  },
})

/** Of an actor that the load uses too. */
function anySubject(random: () => number): string {
  const conversation = `c${Math.floor(random() * 6)}`
  const [contract, key] =
    random() < 0.5 ? [Supervisor, encodeKey([conversation])] : ([Agent, encodeKey([conversation, AGENT])] as const)
  const { kind, partitions } = contract
  return commandSubject(TENANT, partitionOf(TENANT, kind, key, partitions), kind, key)
}

/** A command that crashes its handler, then a good one for the same actor: the good one is handled once the other is buried. */
async function crash(world: World, count: number): Promise<string[]> {
  const reach = world.outside.reach(principalOf('ada'))
  const good = Array.from({ length: count }, async (_, index) => {
    const ref = reach.ref(Crasher, `k${index}`)
    await ref.tell('take', { crash: true })
    try {
      await ref.confirm('take', { crash: false }, { within: '45s' })
      return []
    } catch (error) {
      return [`the command behind a crashing one was not handled: ${coded(error).code}`]
    }
  })
  return (await Promise.all(good)).flat()
}
