import { z } from 'zod'
import { id, ms, spec } from './event-spec.ts'

/** Where a part of an answer stands: `quote` is the text of this version between `start` and `end`, to the letter. */
export const Citation = z.object({
  /** The number of its mark in the answer's text, `[1]`. */
  mark: z.number().int().positive(),
  documentId: z.string(),
  version: z.number().int(),
  title: z.string(),
  headings: z.array(z.string()),
  quote: z.string(),
  /** UTF-16 code units of the version's canonical text. */
  start: z.number().int(),
  end: z.number().int(),
  /** From 1; 0 where the format has no pages. */
  page: z.number().int(),
  /** On that page, in points from its top left corner. */
  boxes: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
  /** Opens the passage, highlighted. */
  link: z.string(),
})
export type Citation = z.infer<typeof Citation>

/** One finished message of a conversation, as stored and as announced. Upsert by (id, revision). */
export const MessageFact = z.object({
  id,
  /** The id that the client gave its own message; empty on others. */
  clientId: z.string(),
  parentId: id.nullable(),
  /** `operator`: a person of the tenant who has the voice. */
  role: z.enum(['user', 'assistant', 'operator', 'system']),
  /** User id, agent name, or `system`. */
  author: z.string(),
  text: z.string(),
  citations: z.array(Citation),
  /** Every sentence is a quoted span or a tool result. */
  extractive: z.boolean(),
  /** Structured output of the agent, when it has an output schema. */
  data: z.unknown(),
  revision: z.number().int().positive(),
  at: ms,
})
export type MessageFact = z.infer<typeof MessageFact>

export const MESSAGE_EVENTS = {
  'conversation:opened': spec('pub', 'A conversation was opened.', z.object({ user: z.string(), channel: z.string() })),
  'message:received': spec('pub', 'A message was stored and accepted.', MessageFact),
  'text:delta': spec(
    'pub',
    'Text to be placed at an offset (UTF-16 code units) of a message; what stood after the offset is cut.',
    z.object({ messageId: id, offset: z.number().int().nonnegative(), text: z.string() }),
  ),
  'message:completed': spec('pub', 'A message is finished; this is its text for good.', MessageFact),
  'message:flagged': spec(
    'ops',
    'An answer cited what its passages do not say, or passages that there are not: those marks were taken out of it.',
    z.object({
      turnId: id,
      runId: id,
      messageId: id,
      unsupported: z.array(z.string()),
      unknown: z.array(z.number().int()),
    }),
  ),
  'message:retracted': spec(
    'pub',
    'A message that was being streamed is withdrawn.',
    z.object({ messageId: id, reason: z.string() }),
  ),
} as const
