import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import { FrameProxy } from '../world/frame-proxy.ts'
import type { Fate } from '../world/frame-proxy.ts'
import { redelivery } from '../world/frames.ts'
import type { Frame } from '../world/frames.ts'

const LASTS_MS = 15_000
const LASTS_LONG_MS = 300_000
const COMMAND = /^t\.[^.]+\.cmd\./
const LIVE = /^live\./
const APPEND = /^t\.[^.]+\.(?:cmd|ev)\./

const UNTOUCHED: Fate = [{ afterMs: 0, line: null }]

export const deliveries = scenario({
  name: 'deliveries',
  about:
    'Commands delivered twice, late and out of order across keys; live entries lost, doubled, overtaken; appends twice.',
  async run({ random, long, say, world: open }) {
    const count = { redelivered: 0, delayed: 0, dropped: 0, doubled: 0, appendedTwice: 0 }
    let proxy: FrameProxy | null = null
    const toClient = (frame: Frame): Fate => {
      const dice = random()
      if (COMMAND.test(frame.subject) && frame.reply.startsWith('$JS.ACK.')) {
        // Between commands of one actor the broker keeps the order; between those of others it need not.
        const line = frame.subject
        if (dice < 0.15) {
          count.redelivered++
          return [
            { afterMs: 0, line },
            { afterMs: random() * 300, line: null, bytes: redelivery(frame) },
          ]
        }
        if (dice < 0.35) {
          count.delayed++
          return [{ afterMs: random() * 300, line }]
        }
        return [{ afterMs: 0, line }]
      }
      if (LIVE.test(frame.subject)) {
        if (dice < 0.1) {
          count.dropped++
          return []
        }
        if (dice < 0.2) {
          count.doubled++
          return [
            { afterMs: 0, line: null },
            { afterMs: random() * 200, line: null },
          ]
        }
        if (dice < 0.35) {
          count.delayed++
          return [{ afterMs: random() * 200, line: null }]
        }
      }
      return UNTOUCHED
    }
    const toServer = (frame: Frame): Fate => {
      // One connection: late means that all that follows is late too.
      const line = 'all'
      const dice = random()
      if (!APPEND.test(frame.subject) || dice > 0.25) return [{ afterMs: 0, line }]
      if (dice < 0.15) {
        count.appendedTwice++
        return [
          { afterMs: 0, line },
          { afterMs: 0, line },
        ]
      }
      count.delayed++
      return [{ afterMs: random() * 100, line }]
    }
    const world = await open({
      through: async (natsUrl) => {
        proxy = await FrameProxy.listen(natsUrl, { toClient, toServer })
        return { url: proxy.url, close: () => proxy!.close() }
      },
    })
    const stage = await setStage(world, { viewers: { conversations: 6, viewersEach: 2 } })
    const lasts = long ? LASTS_LONG_MS : LASTS_MS
    await pause(lasts, lasts, random)
    say(`${stage.accepted()} accepted`)
    await stage.quiet()
    const { problems, figures } = await settle(world, stage)
    return { problems, figures: { ...count, ...figures } }
  },
})
