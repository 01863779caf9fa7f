import { poolActor } from '#shared/actor/definition.ts'
import type { PoolDefinition } from '#shared/actor/definition.ts'
import type { Logs } from '#shared/actor/logs.ts'
import type { Store } from '#shared/actor/store.ts'
import { ownStream } from '#shared/actor/streams.ts'
import { Log } from '#shared/contracts/log.ts'
import { refuse } from '#shared/errors/waggle-error.ts'

/** What readers of the log must know besides it: which logs there are, and the floors below which entries are void. */
export function logKeeper(store: Store, logs: () => Logs): PoolDefinition {
  return poolActor(Log, {
    on: {
      logs: async () => ({ incarnation: logs().incarnation, own: [...(await logs().own())] }),
      floors: async (ctx, { scope, sequence }) => {
        const { floors, pending } = await store.floors(ctx.tenant, scope, sequence)
        return { floors: [...floors], pending }
      },
      move: async ({ tenant, cause }) => {
        if (cause.principal?.roles.includes('platform') !== true)
          throw refuse('FORBIDDEN', { reason: 'Where a tenant keeps its log is for the platform to say.' })
        await logs().askFor(tenant)
        return { stream: ownStream(tenant) }
      },
    },
  })
}
