/** The working process of fairness: one node whose actors keep state and say an event for each command. */
import { z } from 'zod'

import { contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { openDatabase } from '#shared/db/database.ts'
import { createStore } from '#shared/db/runtime/store.ts'

import { benchNode } from '../node.ts'
import { servePeer } from '../peer.ts'

export interface ErrandsConfig {
  readonly natsUrl: string
  readonly databaseUrl: string
}

export type ErrandsPeer = {
  /** Commands handled so far, of a tenant. */
  readonly handled: (tenant: string) => number
}

export const Errand = contract('errand', { run: tell(z.object({ text: z.string().max(1_000) })) })

if (import.meta.main) {
  servePeer<ErrandsConfig>(async ({ natsUrl, databaseUrl }) => {
    const database = await openDatabase({ url: databaseUrl })
    const node = await benchNode(natsUrl, 'bench-errands', { store: createStore(database) })
    const handled = new Map<string, number>()
    node.system.host(
      actor(Errand, {
        state: { version: 1, initial: () => ({ errands: 0, last: '' }) },
        on: {
          run: (ctx, { text }) => {
            ctx.state.errands += 1
            ctx.state.last = text
            ctx.emit('errand:run', { errands: ctx.state.errands }, { audience: 'sys' })
            handled.set(ctx.tenant, (handled.get(ctx.tenant) ?? 0) + 1)
          },
        },
      }),
    )
    await node.system.start()
    await node.system.placed()
    return {
      on: { handled: (tenant: string) => handled.get(tenant) ?? 0 } satisfies ErrandsPeer,
      stop: async () => {
        await node.stop()
        await database.close()
      },
    }
  })
}
