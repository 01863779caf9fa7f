import { z } from 'zod'
import { id, spec } from './event-spec.ts'

export const ActorState = z.enum(['awake', 'asleep', 'running', 'waiting', 'restarting', 'ended', 'crashed'])

/** What the runtime says of itself. */
export const RUNTIME_EVENTS = {
  'actor:changed': spec(
    'ops',
    'An actor woke, slept, ran, crashed or ended.',
    z.object({
      kind: z.string(),
      key: z.string(),
      state: ActorState,
      mailbox: z.number().int(),
      node: z.string(),
      reason: z.string(),
    }),
  ),
  'letter:buried': spec(
    'ops',
    'A message that could not be handled is a dead letter now.',
    z.object({ letterId: id, kind: z.string(), key: z.string(), type: z.string(), code: z.string() }),
  ),
  'log:moved': spec(
    'ops',
    'The log of this tenant is in a stream of its own from here on.',
    z.object({ stream: z.string(), after: z.number().int() }),
  ),
  'activation:opened': spec(
    'sys',
    'A new activation took over an actor that had spoken before.',
    z.object({ node: z.string() }),
  ),
} as const
