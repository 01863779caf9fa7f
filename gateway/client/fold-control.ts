import { foldDelta, NO_TEXT } from './fold-text.ts'
import type { EntryOf } from './known-entry.ts'
import type { DraftView, StaffState } from './staff-state.ts'

/** Bounds of what one view keeps (I11); the oldest leave first. */
export const MAX_NOTES = 500
const MAX_DRAFTS = 50

export type StaffEntry = EntryOf<
  | 'control:briefed'
  | 'offer:changed'
  | 'note:added'
  | 'whisper:delivered'
  | 'whisper:missed'
  | 'draft:delta'
  | 'draft:completed'
  | 'draft:decided'
  | 'assignment:changed'
  | 'read:marked'
>

/** Facts are upserts by the id of the thing; what is settled is never reopened by the same fact said again. */
export function foldStaff(state: StaffState, entry: StaffEntry): StaffState {
  switch (entry.type) {
    case 'control:briefed': {
      const { briefing } = state
      return briefing !== null && briefing.control > entry.payload.control
        ? state
        : { ...state, briefing: entry.payload }
    }
    case 'offer:changed':
      return { ...state, offer: entry.payload.offer }
    case 'note:added':
      return state.notes.some(({ id }) => id === entry.payload.id)
        ? state
        : { ...state, notes: [...state.notes, entry.payload].slice(-MAX_NOTES) }
    case 'whisper:delivered':
      return settle(state, entry.payload.noteId, 'delivered')
    case 'whisper:missed':
      return settle(state, entry.payload.noteId, 'missed')
    case 'draft:delta': {
      const { turnId, messageId, offset, text } = entry.payload
      return withDraft(state, turnId, messageId, (draft) =>
        draft.message === null ? { ...draft, ...foldDelta(draft, offset, text) } : draft,
      )
    }
    case 'draft:completed': {
      const { turnId, message } = entry.payload
      return withDraft(state, turnId, message.id, (draft) => ({ ...draft, tail: null, text: message.text, message }))
    }
    case 'draft:decided': {
      const { messageId } = entry.payload
      return { ...state, drafts: state.drafts.filter((draft) => draft.messageId !== messageId) }
    }
    case 'assignment:changed': {
      const { user, team } = entry.payload
      return { ...state, assigned: { user, team } }
    }
    case 'read:marked': {
      const { user, messageId, at } = entry.payload
      return { ...state, reads: { ...state.reads, [user]: { messageId, at } } }
    }
  }
}

/** The turn is over: what was being written in it will not be finished. */
export function endDrafts(state: StaffState, turnId: string): StaffState {
  if (!state.drafts.some((draft) => draft.turnId === turnId)) return state
  return { ...state, drafts: state.drafts.filter((draft) => draft.turnId !== turnId) }
}

function withDraft(
  state: StaffState,
  turnId: string,
  messageId: string,
  change: (draft: DraftView) => DraftView,
): StaffState {
  const index = state.drafts.findIndex((draft) => draft.messageId === messageId)
  const known = state.drafts[index]
  if (known !== undefined) return { ...state, drafts: state.drafts.with(index, change(known)) }
  const draft = change({ ...NO_TEXT, turnId, messageId, message: null })
  return { ...state, drafts: [...state.drafts, draft].slice(-MAX_DRAFTS) }
}

function settle(state: StaffState, noteId: string, to: 'delivered' | 'missed'): StaffState {
  const index = state.notes.findIndex(({ id }) => id === noteId)
  const known = state.notes[index]
  if (known === undefined || known.state === to) return state
  return { ...state, notes: state.notes.with(index, { ...known, state: to }) }
}
