import { z } from 'zod'
import { ask, pool } from '#shared/actor/contract.ts'

/** What a reader of the log must know and cannot read from the log itself; name: `keeper`. */
export const Log = pool('log', {
  /** The incarnation of the event log: the first part of every cursor. */
  incarnation: ask(z.object({}), z.object({ incarnation: z.string() }), { within: '5s' }),
  /** Floors of a conversation valid after `sequence`; pending: read from the beginning instead. */
  floors: ask(
    z.object({ scope: z.string(), sequence: z.number().int().nonnegative() }),
    z.object({ floors: z.array(z.object({ who: z.string(), epoch: z.number() })), pending: z.boolean() }),
    { within: '5s' },
  ),
})
