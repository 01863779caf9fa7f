import { poolActor } from '#shared/actor/definition.ts'
import type { PoolDefinition } from '#shared/actor/definition.ts'
import type { Store } from '#shared/actor/store.ts'
import { Log } from '#shared/contracts/log.ts'

/** What readers of the log must know besides it: its incarnation, and the floors below which entries are void. */
export function logKeeper(store: Store, incarnation: () => string): PoolDefinition {
  return poolActor(Log, {
    on: {
      incarnation: () => ({ incarnation: incarnation() }),
      floors: async (ctx, { scope, sequence }) => {
        const { floors, pending } = await store.floors(ctx.tenant, scope, sequence)
        return { floors: [...floors], pending }
      },
    },
  })
}
