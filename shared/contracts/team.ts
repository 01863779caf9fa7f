import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'

const ConversationId = z.string().min(1).max(120)

export const TeamQueue = z.object({
  /** In the order of their coming. */
  waiting: z.array(
    z.object({
      conversationId: z.string(),
      skills: z.array(z.string()),
      asked: z.string().nullable(),
      since: z.number(),
    }),
  ),
  members: z.array(
    z.object({
      user: z.string(),
      skills: z.array(z.string()),
      capacity: z.number().int(),
      /** Conversations they have, and those they are asked for. */
      load: z.number().int(),
      available: z.boolean(),
    }),
  ),
})
export type TeamQueue = z.infer<typeof TeamQueue>

/** The queue of a team: it asks the member with room and skill; key: the team. */
export const Team = contract(
  'team',
  {
    /** A conversation waits for one of the team; it is the supervisor's to say when it no longer does. */
    enqueue: tell(z.object({ conversationId: ConversationId, skills: z.array(z.string()) })),
    /** It no longer waits; `takenBy` a member counts as that member's load until `freed`. */
    settle: tell(z.object({ conversationId: ConversationId, takenBy: z.string().nullable() })),
    declined: tell(z.object({ conversationId: ConversationId, user: z.string() })),
    freed: tell(z.object({ conversationId: ConversationId })),
    /** A member comes or goes, by their own word. */
    available: tell(z.object({ available: z.boolean() }), { fails: ['FORBIDDEN', 'NOT_FOUND'] }),
    queue: ask(z.object({}), TeamQueue, { within: '5s', fails: ['FORBIDDEN', 'NOT_FOUND'] }),
  },
  { partitions: 4 },
)
