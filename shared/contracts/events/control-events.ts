import { z } from 'zod'
import { Briefing, ControlMode, Offer } from '../control.ts'
import { Note } from '../note.ts'
import { id, ms, spec } from './event-spec.ts'
import { MessageFact } from './message-events.ts'

/** Who has the voice of a conversation (I7), and what people say beside it. */
export const CONTROL_EVENTS = {
  'human:offered': spec('pub', 'The customer was offered a person.', z.object({ turnId: id, reason: z.string() })),
  'control:changed': spec(
    'pub',
    'The voice of the conversation has a new owner, or is handled in another way.',
    z.object({
      owner: z.string(),
      mode: ControlMode,
      control: z.number().int(),
      reason: z.string(),
      /** What the customer is told of it; the same follows as a message. */
      notice: z.string().nullable(),
    }),
  ),
  'control:briefed': spec('ops', 'What a person needs to know who has just got the voice.', Briefing),
  'offer:changed': spec(
    'ops',
    'The voice was offered, or an offer is over.',
    z.object({ offer: Offer.nullable(), outcome: z.string(), by: z.string(), reason: z.string() }),
  ),
  'note:added': spec('ops', 'Something was said beside the conversation.', Note),
  'whisper:delivered': spec(
    'ops',
    'An agent has heard a whisper: with this step of its run, or with the prompt.',
    z.object({ noteId: id, turnId: id, agent: z.string(), step: z.number().int().nullable() }),
  ),
  'whisper:missed': spec('ops', 'No agent will read a whisper.', z.object({ noteId: id, reason: z.string() })),
  'draft:delta': spec(
    'ops',
    'Text of an unsaid answer, to be placed at an offset (UTF-16 code units); what stood after it is cut.',
    z.object({ turnId: id, messageId: id, offset: z.number().int().nonnegative(), text: z.string() }),
  ),
  'draft:completed': spec(
    'ops',
    'An answer is ready and waits for a decision.',
    z.object({ turnId: id, message: MessageFact }),
  ),
  'draft:decided': spec(
    'ops',
    'What became of an unsaid answer.',
    z.object({
      turnId: id,
      messageId: id,
      outcome: z.enum(['said', 'edited', 'rejected', 'superseded']),
      by: z.string(),
      reason: z.string(),
    }),
  ),
  'assignment:changed': spec(
    'ops',
    'The conversation was given to somebody to look after.',
    z.object({ user: z.string().nullable(), team: z.string().nullable(), by: z.string() }),
  ),
  'read:marked': spec(
    'ops',
    'Somebody has read up to a message.',
    z.object({ user: z.string(), messageId: id, at: ms }),
  ),
} as const
