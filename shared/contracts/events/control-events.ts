import { z } from 'zod'
import { id, spec } from './event-spec.ts'

/** Who has the voice of a conversation (I7). */
export const CONTROL_EVENTS = {
  'human:offered': spec('pub', 'The customer was offered a person.', z.object({ turnId: id, reason: z.string() })),
  'control:changed': spec(
    'pub',
    'The voice of the conversation has a new owner.',
    z.object({ owner: z.string(), mode: z.enum(['auto', 'human']), control: z.number().int(), reason: z.string() }),
  ),
} as const
