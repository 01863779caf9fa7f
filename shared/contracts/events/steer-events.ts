import { z } from 'zod'
import { id, spec } from './event-spec.ts'

const step = z.number().int()

/** What became of words said to a turn at work. */
export const STEER_EVENTS = {
  'message:steered': spec(
    'pub',
    'The run at work heard the message, with this step.',
    z.object({
      messageId: id,
      turnId: id,
      step,
      /** The message that it follows from here on. */
      after: id.nullable(),
    }),
  ),
  'message:undelivered': spec(
    'pub',
    'A message was not heard by the turn it was meant for, and will not be.',
    z.object({ messageId: id, turnId: id, reason: z.string() }),
  ),
} as const
