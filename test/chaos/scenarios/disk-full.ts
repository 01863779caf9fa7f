import { connect } from 'nats'
import { outSubject } from '#shared/wire/subjects.ts'
import { OUTBOUND } from '#shared/actor/streams.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { scratchFolder } from '#test/kit/scratch.ts'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import { TENANT } from '../world/seed.ts'
import type { World } from '../world/world.ts'

const DISK_BYTES = 24 * 1024 * 1024
const CHUNKS = [256 * 1024, 16 * 1024, 1024, 64] as const
const ROUNDS = 2
const ROUNDS_LONG = 10

export const diskFull = scenario({
  name: 'disk-full',
  about:
    'JetStream out of storage: publishers hear OVERLOADED, nothing accepted is lost, it goes on when there is room.',
  async run({ random, long, say, world: open }) {
    const folder = await scratchFolder('disk')
    const world = await open({
      jetstream: `jetstream { store_dir: ${JSON.stringify(folder)}, max_file_store: ${DISK_BYTES} }`,
    })
    const stage = await setStage(world)
    const problems: string[] = []
    const rounds = long ? ROUNDS_LONG : ROUNDS
    for (let round = 0; round < rounds; round++) {
      await pause(1_500, 2_500, random)
      const heard = stage.senders.heard.get('OVERLOADED') ?? 0
      const written = await fill(world)
      if (written.code !== 'OVERLOADED') problems.push(`a full disk is told as ${written.code}`)
      const before = stage.accepted()
      await pause(4_000, 6_000, random)
      if ((stage.senders.heard.get('OVERLOADED') ?? 0) === heard) problems.push('no sender heard OVERLOADED')
      const meanwhile = stage.accepted() - before
      await makeRoom(world)
      await stage.goesOn('there was room again')
      say(`round ${round + 1}: full after ${written.bytes} bytes; ${meanwhile} accepted while it was`)
    }
    await stage.quiet()
    const settled = await settle(world, stage)
    const overloaded = stage.senders.heard.get('OVERLOADED') ?? 0
    return { problems: [...problems, ...settled.problems], figures: { rounds, overloaded, ...settled.figures } }
  },
})

/** By messages for a bridge that nobody runs. */
async function fill(world: World): Promise<{ bytes: number; code: string }> {
  let bytes = 0
  let code = ''
  for (const size of CHUNKS) {
    for (let index = 0; ; index++) {
      try {
        const messageId = `fill-${size}-${bytes}-${index}`
        await world.transport.append(outSubject(TENANT, 'filler', 'x'), Buffer.alloc(size), { messageId })
        bytes += size
      } catch (error) {
        code = coded(error).code
        break
      }
    }
  }
  return { bytes, code }
}

async function makeRoom(world: World): Promise<void> {
  const connection = await connect({ servers: world.natsUrl })
  await (await connection.jetstreamManager()).streams.purge(OUTBOUND)
  await connection.close()
}
