import { z } from 'zod'
import { ask, pool } from '#shared/actor/contract.ts'

/** What a reader of the log must know and cannot read from the log itself; name: `keeper`. */
export const Log = pool('log', {
  /** The logs there are. The incarnation of a tenant's log is the first part of every cursor of it. */
  logs: ask(
    z.object({}),
    z.object({
      incarnation: z.string().min(1),
      own: z.array(
        z.object({
          tenant: z.string(),
          stream: z.string(),
          after: z.number().int(),
          from: z.number().int(),
          at: z.number(),
          shared: z.string(),
          incarnation: z.string().min(1),
        }),
      ),
    }),
    { within: '5s' },
  ),
  /** Gives the tenant of the caller a log of its own (FORBIDDEN but for the platform). It is there soon: ask `logs`. */
  move: ask(z.object({}), z.object({ stream: z.string() }), { within: '10s' }),
  /** Floors of a conversation valid after `sequence`; pending: read from the beginning instead. */
  floors: ask(
    z.object({ scope: z.string(), sequence: z.number().int().nonnegative() }),
    z.object({ floors: z.array(z.object({ who: z.string(), epoch: z.number() })), pending: z.boolean() }),
    { within: '5s' },
  ),
})
