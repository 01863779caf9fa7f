import { z } from 'zod'

/**
 * What is said beside a conversation and never to the customer (I6): it has a table, events (`ops`) and client state of
 * its own, so that nothing that serves messages can serve it.
 */
export const NoteKind = z.enum(['note', 'whisper', 'draft', 'learned'])
export type NoteKind = z.infer<typeof NoteKind>

export const Note = z.object({
  id: z.string(),
  /** The id that its author's client gave it; empty on others. */
  clientId: z.string(),
  kind: NoteKind,
  /** User id; of a draft, the agent. */
  author: z.string(),
  text: z.string(),
  turnId: z.string().nullable(),
  /** Of a whisper: `waiting` until an agent has read it. */
  state: z.enum(['kept', 'waiting', 'delivered', 'missed']),
  at: z.number(),
})
export type Note = z.infer<typeof Note>
