import { randomBytes } from 'node:crypto'
import { newId } from '#shared/lib/ids.ts'
import { encodeEvent } from '#shared/wire/event.ts'
import { encodeName } from '#shared/wire/names.ts'
import { eventSubject } from '#shared/wire/subjects.ts'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { Viewer } from '../load/viewers.ts'
import { eventually, pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import { NarrowPipe } from '../world/narrow-pipe.ts'
import type { Peer } from '../world/peer.ts'
import { metric } from '../world/peer.ts'
import { TENANT } from '../world/seed.ts'
import type { World } from '../world/world.ts'

const EACH = 8
const SLOW_BYTES_PER_SECOND = 40_000
const ENTRY_BYTES = 16_000
const ENTRIES = 1_200
const ENTRIES_LONG = 8_000
const BURST = 20
/** A gateway may hold a budget for each slow socket, and some more for what the system does; not what they have missed. */
const MOST_GROWTH_BYTES = 96 * 1024 * 1024
/** For entries written while the slow ones stand still. */
const QUICK_WITHIN_MS = 5_000
const ENDED_MS = 60_000
const BACK_MS = 120_000

export const slowClients = scenario({
  name: 'slow-clients',
  about: 'Slow and stuck sockets beside quick ones: those are unharmed, memory is bounded, the stuck resume exactly.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const stage = await setStage(world, { services: 1, senders: 2, viewers: { conversations: 1, viewersEach: EACH } })
    const quick = stage.viewers!.all
    const { id } = quick[0]!.conversation
    const problems: string[] = []
    const token = await world.token('user0')
    const slow = await join('slow', EACH, world, stage.gateway!, token, id)
    const stuck = await join('stuck', EACH, world, stage.gateway!, token, id)
    const all = [...quick, ...slow.viewers, ...stuck.viewers]
    await eventually(() => all.every((viewer) => viewer.live), BACK_MS, 100)
    const before = await stage.gateway!.look()
    slow.pipe.bytesPerSecond = SLOW_BYTES_PER_SECOND
    stuck.pipe.bytesPerSecond = 0
    let peakBytes = 0
    let behindMs = 0
    const entries = long ? ENTRIES_LONG : ENTRIES
    for (let written = 0; written < entries; written += BURST) {
      const last = await writeFacts(world, id, BURST)
      const since = performance.now()
      const seen = (viewer: Viewer): boolean =>
        viewer.stretches.at(-1)?.entries.findLast((entry) => entry.id === last) !== undefined
      if (!(await eventually(() => quick.every(seen), QUICK_WITHIN_MS, 5)))
        problems.push(`after ${written} entries a quick client was more than ${QUICK_WITHIN_MS} ms behind`)
      behindMs = Math.max(behindMs, performance.now() - since)
      if (written % (BURST * 10) === 0) {
        const { rss, heap, external } = await stage.gateway!.look()
        peakBytes = Math.max(peakBytes, heap + external - before.heap - before.external)
        if (written % (BURST * 20) === 0) say(`${written} entries: the gateway holds ${Math.round(rss / 1e6)} MB`)
      }
    }
    if (peakBytes > MOST_GROWTH_BYTES) problems.push(`the gateway grew by ${Math.round(peakBytes / 1e6)} MB`)
    // By the reader of the log, or because they answer no ping: whichever comes first.
    const ended = async (): Promise<number> =>
      metric(before, 'waggle_sockets') - metric(await stage.gateway!.look(), 'waggle_sockets')
    if (!(await eventually(async () => (await ended()) >= EACH, ENDED_MS, 1_000)))
      problems.push(`${await ended()} of ${EACH} stuck clients were ended`)
    const ends = await ended()
    say(`${ends} stuck or slow clients were sent away`)
    slow.pipe.bytesPerSecond = stuck.pipe.bytesPerSecond = Infinity
    await pause(500, 1_000, random)
    await stage.quiet()
    if (!(await eventually(() => all.every((viewer) => viewer.live), BACK_MS, 250)))
      problems.push('not all clients came back')
    stage.viewers!.all.push(...slow.viewers, ...stuck.viewers)
    const settled = await settle(world, { ...stage, withinMs: BACK_MS })
    return {
      problems: [...problems, ...settled.problems],
      figures: {
        entries,
        quickBehindMs: Math.round(behindMs),
        grewMB: Math.round(peakBytes / 1e6),
        ended: ends,
        snapshots: [...slow.viewers, ...stuck.viewers].filter(({ stretches }) => stretches.length > 1).length,
        ...settled.figures,
      },
    }
  },
})

async function join(
  kind: string,
  count: number,
  world: World,
  gateway: Peer,
  token: string,
  conversation: string,
): Promise<{ pipe: NarrowPipe; viewers: Viewer[] }> {
  const pipe = await NarrowPipe.listen(gateway.url)
  const viewers = Array.from(
    { length: count },
    (_, index) => new Viewer(`${kind}${index}`, pipe.url, token, conversation),
  )
  world.closeLater(async () => {
    for (const viewer of viewers) viewer.close()
    await pipe.close()
  })
  return { pipe, viewers }
}

/** Facts of a conversation as an agent would say them, each the size of a long answer. Gives the id of the last. */
async function writeFacts(world: World, conversation: string, count: number): Promise<string> {
  const subject = eventSubject(TENANT, encodeName(conversation), 'pub')
  const facts = Array.from({ length: count }, () => {
    const id = newId()
    const payload = {
      turnId: 'flood',
      runId: 'flood',
      step: 'act',
      label: randomBytes(ENTRY_BYTES / 2).toString('hex'),
    }
    const by = `agent/${encodeName(conversation)}--flood` as const
    const event = { id, type: 'run:progress', version: 1, by, epoch: 1, control: 0, at: Date.now(), trace: '', payload }
    return { id, bytes: encodeEvent(event) }
  })
  for (const { id, bytes } of facts) await world.transport.append(subject, bytes, { messageId: id })
  return facts.at(-1)!.id
}
