import type { MessageFact } from '#shared/contracts/event-map.ts'
import type { ConversationState, MessageView } from './conversation-state.ts'
import type { EntryOf } from './known-entry.ts'
import { placeMessage } from './place-message.ts'

/** Where the conversation stands in the tree of its messages (`parentId`), as the supervisor holds it. */
export interface BranchView {
  /** The end of the active branch. */
  readonly leafId: string | null
  /** Messages that stand in line: on no branch yet. */
  readonly waiting: readonly string[]
  /** Messages that were meant for a turn at work and not heard. */
  readonly undelivered: readonly { readonly messageId: string; readonly reason: string }[]
}

export const NO_BRANCH: BranchView = { leafId: null, waiting: [], undelivered: [] }

/** Undelivered messages that are remembered; as many as a snapshot names. */
const MAX_UNDELIVERED = 20

type BranchEntry =
  | EntryOf<'branch:changed'>
  | EntryOf<'message:steered'>
  | EntryOf<'message:undelivered'>
  | EntryOf<'turn:started'>

/** A message was stored: it waits until its turn begins, or a turn at work hears it. */
export function foldReceived(state: ConversationState, { id }: MessageFact): ConversationState {
  const { branch } = state
  const begun = state.turns.some((turn) => turn.messageId === id)
  if (begun || branch.waiting.includes(id)) return state
  return withBranch(state, { waiting: [...branch.waiting, id] })
}

/** An answer was said: the branch ends with it. */
export function foldAnswered(state: ConversationState, { id, parentId }: MessageFact): ConversationState {
  return parentId === null || isOnPath(state, parentId) ? withBranch(state, { leafId: id }) : state
}

export function foldBranch(state: ConversationState, entry: BranchEntry): ConversationState {
  switch (entry.type) {
    case 'turn:started': {
      const { turnId, messageId, after, joined = [] } = entry.payload
      const first = joined[0] ?? messageId
      const followed = after === undefined ? state : follow(state, first, after)
      const waiting = without(state.branch.waiting, [...joined, messageId])
      // Said again behind its end, after the log has lost its tail: the branch has gone on since, unless it ends before it.
      const over = state.turns.some((turn) => turn.turnId === turnId && turn.outcome !== null)
      if (!over) return withBranch(followed, { leafId: messageId, waiting })
      const { leafId } = state.branch
      const answer = state.messages.findLast(({ parentId, role }) => parentId === messageId && role === 'assistant')
      return withBranch(followed, { leafId: leafId === after ? (answer?.id ?? messageId) : leafId, waiting })
    }
    case 'message:steered': {
      const { messageId, after, turnId } = entry.payload
      const heard = withBranch(follow(state, messageId, after), {
        leafId: messageId,
        waiting: without(state.branch.waiting, [messageId]),
      })
      const answerId = heard.turns.find((turn) => turn.turnId === turnId)?.answerId ?? null
      return answerId === null ? heard : follow(heard, answerId, messageId)
    }
    case 'message:undelivered': {
      const { messageId, reason } = entry.payload
      const others = state.branch.undelivered.filter((other) => other.messageId !== messageId)
      return withBranch(state, {
        waiting: without(state.branch.waiting, [messageId]),
        undelivered: [...others, { messageId, reason }].slice(-MAX_UNDELIVERED),
      })
    }
    case 'branch:changed': {
      const { leafId, path, withdrawn } = entry.payload
      let left = withBranch(state, { leafId, waiting: without(state.branch.waiting, [...withdrawn, ...path]) })
      // The root may have stood further up than the path tells.
      for (const [index, id] of path.entries()) if (index > 0) left = follow(left, id, path[index - 1]!)
      if (withdrawn.length === 0) return left
      return { ...left, messages: left.messages.filter((message) => !withdrawn.includes(message.id)) }
    }
  }
}

/** What a reader sees: the active branch, and beside it what waits, is being said, or was not heard. */
export function activeMessages(state: ConversationState): readonly MessageView[] {
  const path = pathOf(state)
  const byId = new Map(state.messages.map((message) => [message.id, message]))
  /** The chosen one among those that say the same thing in place of each other. */
  const chosen = new Set<string>()
  for (const id of path) {
    const message = byId.get(id)
    if (message !== undefined) chosen.add(placeIn(message))
  }
  const loose = new Set([...state.branch.waiting, ...state.branch.undelivered.map(({ messageId }) => messageId)])
  const off = new Map<string, boolean>()
  const isOff = (message: MessageView): boolean => {
    if (path.has(message.id) || loose.has(message.id)) return false
    const known = off.get(message.id)
    if (known !== undefined) return known
    off.set(message.id, false)
    const parent = message.parentId === null ? undefined : byId.get(message.parentId)
    const besideIt = chosen.has(placeIn(message))
    const steppedBack =
      message.role === 'assistant' && message.parentId === state.branch.leafId && message.status === 'complete'
    const result = besideIt || steppedBack || (parent !== undefined && isOff(parent))
    off.set(message.id, result)
    return result
  }
  const active = state.messages.filter((message) => !isOff(message))
  return active.length === state.messages.length ? state.messages : active
}

/** Messages that stand in place of each other, this one among them, oldest first; one alone where there is no choice. */
export function alternativesOf(state: ConversationState, message: MessageView): readonly MessageView[] {
  const waiting = new Set(state.branch.waiting)
  const place = placeIn(message)
  return state.messages.filter(
    (other) => other.id === message.id || (placeIn(other) === place && !waiting.has(other.id)),
  )
}

/** Ids from the leaf up. */
function pathOf(state: ConversationState): ReadonlySet<string> {
  const byId = new Map(state.messages.map((message) => [message.id, message]))
  const path = new Set<string>()
  for (let id = state.branch.leafId; id !== null && !path.has(id); id = byId.get(id)?.parentId ?? null) path.add(id)
  return path
}

function isOnPath(state: ConversationState, id: string): boolean {
  return state.branch.leafId === id || pathOf(state).has(id)
}

/** Messages of the same place stand for each other. */
function placeIn(message: MessageView): string {
  // What the system says stands beside everything and in place of nothing.
  return message.role === 'system' ? message.id : `${message.role} ${message.parentId ?? ''}`
}

/** Puts a message behind another one, in the tree and in reading order. */
function follow(state: ConversationState, id: string, parentId: string | null): ConversationState {
  const message = state.messages.find((candidate) => candidate.id === id)
  if (message === undefined || message.parentId === parentId) return state
  const moved = { ...message, parentId }
  if (message.role === 'user') {
    return { ...state, messages: state.messages.map((other) => (other === message ? moved : other)) }
  }
  const others = state.messages.filter((other) => other !== message)
  return { ...state, messages: placeMessage(others, moved) }
}

function withBranch(state: ConversationState, change: Partial<BranchView>): ConversationState {
  return { ...state, branch: { ...state.branch, ...change } }
}

function without(ids: readonly string[], gone: readonly string[]): readonly string[] {
  return ids.some((id) => gone.includes(id)) ? ids.filter((id) => !gone.includes(id)) : ids
}
