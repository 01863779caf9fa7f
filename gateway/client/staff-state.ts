import type { StaffSnapshot } from '#shared/contracts/client.ts'
import type { Briefing, Offer } from '#shared/contracts/control.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import type { Note } from '#shared/contracts/note.ts'
import { NO_TEXT } from './fold-text.ts'
import type { StreamedText } from './fold-text.ts'

/** What only people of the tenant see of a conversation. Empty for a customer, whom none of its events reaches. */
export interface StaffState {
  readonly offer: Offer | null
  /** In the order in which they were added. */
  readonly notes: readonly Note[]
  /** Unsaid answers: being written (`message` is null), or waiting for a decision. */
  readonly drafts: readonly DraftView[]
  readonly briefing: Briefing | null
  readonly assigned: { readonly user: string | null; readonly team: string | null }
  /** How far each has read, by user. */
  readonly reads: Readonly<Record<string, { readonly messageId: string; readonly at: number }>>
}

export interface DraftView extends StreamedText {
  readonly turnId: string
  readonly messageId: string
  readonly message: MessageFact | null
}

export const NO_STAFF: StaffState = {
  offer: null,
  notes: [],
  drafts: [],
  briefing: null,
  assigned: { user: null, team: null },
  reads: {},
}

export function staffFrom(snapshot: StaffSnapshot | null): StaffState {
  if (snapshot === null) return NO_STAFF
  const { offer, notes, drafts, briefing, assigned, reads } = snapshot
  return {
    offer,
    notes,
    drafts: drafts.map(({ turnId, message }) => ({
      ...NO_TEXT,
      turnId,
      messageId: message.id,
      text: message.text,
      message,
    })),
    briefing,
    assigned,
    reads: Object.fromEntries(reads.map(({ user, messageId, at }) => [user, { messageId, at }])),
  }
}
