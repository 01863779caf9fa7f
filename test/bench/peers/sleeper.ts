/** The other process of activation: actors with state in the database, which sleep as soon as nothing is said to them. */
import { z } from 'zod'

import { ask, contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { openDatabase } from '#shared/db/database.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { delay, systemClock } from '#shared/lib/clock.ts'

import { benchNode } from '../node.ts'
import { servePeer } from '../peer.ts'

const Text = z.object({ text: z.string().max(1_000) })
export const Sleeper = contract('sleeper', { note: tell(Text), look: ask(z.object({}), Text, { within: '5s' }) })

export interface SleeperConfig {
  readonly natsUrl: string
  readonly databaseUrl: string
}

export type SleeperPeer = {
  /** Settles when all of them sleep. */
  readonly asleep: (input: null) => Promise<void>
}

/** As long as the caller of a round needs to come back, so that no actor falls asleep while others are measured. */
const SLEEP_AFTER = '3s'
const LOOK_MS = 20

if (import.meta.main) {
  servePeer<SleeperConfig>(async ({ natsUrl, databaseUrl }) => {
    const database = await openDatabase({ url: databaseUrl })
    const node = await benchNode(natsUrl, 'bench-sleeper', { store: createStore(database) })
    node.system.host(
      actor(Sleeper, {
        state: { version: 1, initial: () => ({ notes: 0, text: '' }) },
        sleepAfter: SLEEP_AFTER,
        on: {
          note: (ctx, { text }) => {
            ctx.state.notes += 1
            ctx.state.text = text
          },
          look: (ctx) => ({ text: ctx.state.text }),
        },
      }),
    )
    await node.system.start()
    await node.system.placed()
    return {
      on: {
        asleep: async () => {
          while (node.system.census().activations > 0) await delay(systemClock, LOOK_MS)
        },
      } satisfies SleeperPeer,
      stop: async () => {
        await node.stop()
        await database.close()
      },
    }
  })
}
