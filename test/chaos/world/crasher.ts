import { contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import type { Definition } from '#shared/actor/definition.ts'
import { z } from 'zod'

/** An actor with a bug: what it is told to crash at, it crashes at, every time. */
export const Crasher = contract('crasher', { take: tell(z.object({ crash: z.boolean() })) }, { partitions: 4 })

export function crasher(): Definition {
  return actor(Crasher, {
    state: { version: 1, initial: () => ({ taken: 0 }) },
    on: {
      take(ctx, { crash }) {
        if (crash) throw new TypeError('the handler has a bug')
        ctx.state.taken += 1
        return { taken: ctx.state.taken }
      },
    },
  })
}
