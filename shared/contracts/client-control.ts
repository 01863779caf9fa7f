import { z } from 'zod'
import { ControlReceipt, Receiver } from './control.ts'

/** What people of the tenant may ask in conversations; the shapes of client.ts, one topic of its own. */
const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id is 1 to 64 of A-Z a-z 0-9 _ -')
const Words = z.string().max(500)
/** As long as a customer's message may be (MAX_TEXT_CHARS). */
const Text = z.string().min(1).max(16_000)

/** Which fields an action needs: `ControlRequest` of control.ts. */
export const ControlInput = z.object({
  conversationId: Id,
  action: z.enum(['take', 'offer', 'accept', 'decline', 'release', 'supervise']),
  /** take: only while this is the control epoch. */
  expected: z.number().int().optional(),
  /** take: also from a person who has it; administrators only. */
  force: z.boolean().optional(),
  /** offer: to whom, for how long, and what a member of a team must be able to do. */
  to: Receiver.optional(),
  withinMs: z.number().int().optional(),
  skills: z.array(z.string().max(60)).max(10).optional(),
  /** release: what the agents should know from here on. */
  learned: z.string().max(4_000).optional(),
  /** supervise: whether answers are drafts until somebody lets them be said. */
  on: z.boolean().optional(),
  reason: Words.optional(),
})
export const ReplyRequest = z.object({ conversationId: Id, id: Id, text: Text })
export const NoteRequest = z.object({ conversationId: Id, id: Id, text: Text, kind: z.enum(['note', 'whisper']) })
export const AssignRequest = z.object({ conversationId: Id, to: Receiver.nullable() })
export const ReadRequest = z.object({ conversationId: Id, messageId: Id })
const TeamName = z.string().regex(/^[a-z0-9-]{1,60}$/)
export const TeamRequest = z.object({ team: TeamName })
export const AvailableRequest = z.object({ team: TeamName, available: z.boolean() })

/** `where`: an answer to the customer, or something that only colleagues will read. Nothing of it is stored. */
export const TypingRequest = z.object({ conversationId: Id, on: z.boolean(), where: z.enum(['reply', 'note']) })

/** Somebody is writing; goes away by itself. To a customer people of the tenant have no name. */
export interface TypingSignal {
  readonly conversationId: string
  readonly user: string
  readonly role: 'customer' | 'operator'
  readonly on: boolean
}
/** Who of the tenant has the conversation before their eyes: whoever sees somebody else there should speak to them first. */
export interface PresenceSignal {
  readonly conversationId: string
  readonly people: readonly { readonly user: string; readonly state: 'viewing' | 'replying' | 'noting' }[]
}

export { ControlReceipt }
