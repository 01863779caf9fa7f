import type { LogEntry } from '#shared/contracts/client.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { isAfter } from './after-cursor.ts'
import { foldActors } from './fold-actors.ts'
import { endDrafts, foldStaff } from './fold-control.ts'
import { fromFact, newAnswer, newTurn } from './conversation-state.ts'
import type { ConversationState, MessageView, RunView, ToolView, TurnView } from './conversation-state.ts'
import { foldAnswered, foldBranch, foldReceived } from './fold-branch.ts'
import { foldReview } from './fold-reviews.ts'
import { NO_TEXT, foldDelta } from './fold-text.ts'
import { knownEntry } from './known-entry.ts'
import type { EntryOf, KnownEntry } from './known-entry.ts'
import { placeMessage } from './place-message.ts'

/** Bounds of what one view keeps (I11); the oldest leave first. */
export const MAX_TURNS = 500
export const MAX_PARTS_PER_TURN = 200
export const MAX_LETTERS = 100
const MAX_ACTORS = 500

/**
 * The one fold of a conversation, used by every reader in TypeScript (I5). Rules:
 *
 * 1. entries come in log order; one at or before the state's cursor was folded already and changes nothing;
 * 2. facts are upserts: (id, revision) for messages, the id of the thing for the rest. The same fact under a later
 *    cursor (an outbox relayed twice) changes nothing, and never reopens what is finished;
 * 3. a delta never touches a message that has its final text;
 * 4. what is not known is ignored.
 */
export function reduce(state: ConversationState, entry: LogEntry): ConversationState {
  if (!isAfter(entry.cursor, state.cursor)) return state
  const known = knownEntry(entry)
  const next = known === null ? state : fold(state, known)
  return { ...next, cursor: entry.cursor }
}

/** Folds an entry wherever it stands; for entries in log order there is `reduce`. */
export function fold(state: ConversationState, entry: KnownEntry): ConversationState {
  switch (entry.type) {
    case 'message:received':
      return foldReceived(upsertFact(state, entry.payload), entry.payload)
    case 'message:completed':
      return foldAnswered(upsertFact(state, entry.payload), entry.payload)
    case 'turn:started':
      return foldBranch(
        withTurn(state, entry, (turn) => ({ ...turn, messageId: entry.payload.messageId })),
        entry,
      )
    case 'message:steered': {
      const { messageId, step } = entry.payload
      const heard = withTurn(state, entry, (turn) => ({
        ...turn,
        steered: addOnce(turn.steered, { messageId, step }, (a, b) => a.messageId === b.messageId),
      }))
      return foldBranch(heard, entry)
    }
    case 'message:undelivered':
    case 'branch:changed':
      return foldBranch(state, entry)
    case 'turn:ended':
      return endTurn(state, entry)
    case 'agent:speaking':
      return speak(state, entry)
    case 'text:delta':
      return streamText(state, entry)
    case 'message:retracted':
      return retract(state, entry)
    case 'run:progress': {
      const { step, label } = entry.payload
      return withTurn(state, entry, (turn) => ({
        ...turn,
        steps: addOnce(turn.steps, { id: entry.id, step, label }, (a, b) => a.id === b.id),
      }))
    }
    case 'human:offered':
      return withTurn(state, entry, (turn) => ({ ...turn, offered: entry.payload.reason }))
    case 'control:changed': {
      const { owner, mode, control } = entry.payload
      return control < state.control.control ? state : { ...state, control: { owner, mode, control } }
    }
    case 'control:briefed':
    case 'offer:changed':
    case 'note:added':
    case 'whisper:delivered':
    case 'whisper:missed':
    case 'draft:delta':
    case 'draft:completed':
    case 'draft:decided':
    case 'assignment:changed':
    case 'read:marked':
      return { ...state, staff: foldStaff(state.staff, entry) }
    case 'route:decided': {
      const { agent, reason, ms } = entry.payload
      return withTurn(state, entry, (turn) => ({ ...turn, route: { agent, reason, ms } }))
    }
    case 'run:started': {
      const { model, attempt } = entry.payload
      return withTurn(state, entry, (turn) =>
        turn.run !== null && turn.run.attempt > attempt
          ? turn
          : { ...turn, run: { usage: usageOf(turn, attempt), model, attempt }, parked: [] },
      )
    }
    case 'run:parked':
      return withTurn(state, entry, (turn) => (turn.outcome === null ? { ...turn, parked: entry.payload.items } : turn))
    case 'review:changed': {
      const reviews = foldReview(state.reviews, entry.payload)
      return reviews === state.reviews ? state : { ...state, reviews }
    }
    case 'run:ended':
      return withTurn(state, entry, (turn) => ({
        ...turn,
        run: { ...(turn.run ?? { model: '', attempt: 1 }), usage: entry.payload.usage },
      }))
    case 'tool:called':
    case 'tool:returned':
      return withTurn(state, entry, (turn) => ({ ...turn, tools: upsertTool(turn.tools, entry) }))
    case 'guardrail:checked': {
      const { turnId: _turn, runId: _run, ...check } = entry.payload
      return withTurn(state, entry, (turn) => ({
        ...turn,
        checks: addOnce(turn.checks, { ...check, id: entry.id }, (a, b) => a.id === b.id),
      }))
    }
    case 'actor:changed':
      return { ...state, actors: foldActors(state.actors, [entry], MAX_ACTORS) }
    case 'letter:buried': {
      const letters = addOnce(state.letters, entry.payload, (a, b) => a.letterId === b.letterId)
      return { ...state, letters: letters.slice(-MAX_LETTERS) }
    }
    // Seen in the list of events; nothing of a conversation's state is made of them.
    case 'budget:warned':
    case 'budget:spent':
    case 'budget:raised':
    case 'loop:cut':
    case 'turn:transferred':
    case 'message:flagged':
    case 'log:moved':
    case 'document:progress':
    case 'document:removed':
    case 'document:swept':
    case 'answer:curated':
    case 'index:built':
    case 'conversation:opened':
    case 'activation:opened':
      return state
  }
}

/** What a run used, where its start is told behind its end. */
function usageOf({ run, outcome }: TurnView, attempt: number): RunView['usage'] {
  return run !== null && outcome !== null && run.attempt <= attempt ? run.usage : null
}

function upsertFact(state: ConversationState, fact: MessageFact): ConversationState {
  const index = state.messages.findIndex((message) => message.id === fact.id)
  const known = state.messages[index]
  if (known === undefined) {
    // Said whole, by nobody who announced it: it belongs to the turn of the message that it answers.
    const turn = fact.role === 'user' ? undefined : state.turns.find((other) => other.messageId === fact.parentId)
    const message = fromFact(fact, null)
    return {
      ...state,
      messages: placeMessage(state.messages, turn === undefined ? message : { ...message, turnId: turn.turnId }),
    }
  }
  if (known.revision >= fact.revision) return state
  return { ...state, messages: state.messages.with(index, fromFact(fact, known)) }
}

function speak(state: ConversationState, entry: EntryOf<'agent:speaking'>): ConversationState {
  const { agent, title, runId, messageId, turnId } = entry.payload
  const next = withTurn(state, entry, (turn) => ({ ...turn, agent, title, runId, answerId: messageId }))
  const turn = next.turns.find((other) => other.turnId === turnId)
  const index = next.messages.findIndex((message) => message.id === messageId)
  const known = next.messages[index]
  if (known !== undefined) {
    const author = known.revision === 0 ? agent : known.author
    return { ...next, messages: next.messages.with(index, { ...known, author, title, turnId }) }
  }
  return { ...next, messages: placeMessage(next.messages, newAnswer(messageId, { ...turn, agent, title }, entry.at)) }
}

function streamText(state: ConversationState, entry: EntryOf<'text:delta'>): ConversationState {
  const { messageId, offset, text } = entry.payload
  const index = state.messages.findIndex((message) => message.id === messageId)
  const known = state.messages[index]
  if (known === undefined) {
    const turn = state.turns.find((other) => other.answerId === messageId) ?? {}
    const message = { ...newAnswer(messageId, turn, entry.at), ...foldDelta(NO_TEXT, offset, text) }
    return { ...state, messages: placeMessage(state.messages, message) }
  }
  if (known.status === 'complete') return state
  const again = known.status === 'retracted' && offset === 0
  const message: MessageView = {
    ...known,
    ...foldDelta(known, offset, text),
    ...(again ? { status: 'streaming', reason: '' } : {}),
  }
  return { ...state, messages: state.messages.with(index, message) }
}

function retract(state: ConversationState, entry: EntryOf<'message:retracted'>): ConversationState {
  const index = state.messages.findIndex((message) => message.id === entry.payload.messageId)
  const known = state.messages[index]
  if (known === undefined || known.status === 'complete') return state
  const message: MessageView = { ...known, ...NO_TEXT, status: 'retracted', reason: entry.payload.reason }
  return { ...state, messages: state.messages.with(index, message) }
}

function endTurn(state: ConversationState, entry: EntryOf<'turn:ended'>): ConversationState {
  const { turnId, outcome, error, report, ms } = entry.payload
  const staff = endDrafts(state.staff, turnId)
  const next = withTurn({ ...state, staff }, entry, (turn) => ({ ...turn, outcome, error, report, ms, parked: [] }))
  if (!next.messages.some((message) => message.turnId === turnId && message.status === 'streaming')) return next
  const messages = next.messages.map((message): MessageView =>
    message.turnId === turnId && message.status === 'streaming' ? { ...message, status: 'cut' } : message,
  )
  return { ...next, messages }
}

/** Changes a turn, which is made when its start was not seen. */
function withTurn(
  state: ConversationState,
  entry: KnownEntry & { readonly payload: { readonly turnId: string } },
  change: (turn: TurnView) => TurnView,
): ConversationState {
  const { turnId } = entry.payload
  const index = state.turns.findIndex((turn) => turn.turnId === turnId)
  const known = state.turns[index]
  if (known === undefined) {
    return { ...state, turns: [...state.turns, change(newTurn(turnId, entry.at))].slice(-MAX_TURNS) }
  }
  return { ...state, turns: state.turns.with(index, change(known)) }
}

function upsertTool(
  tools: readonly ToolView[],
  entry: EntryOf<'tool:called'> | EntryOf<'tool:returned'>,
): readonly ToolView[] {
  const { callId, tool } = entry.payload
  const index = tools.findIndex((other) => other.callId === callId)
  const known: ToolView = tools[index] ?? {
    callId,
    tool,
    args: {},
    status: 'running',
    result: null,
    startedAt: entry.at,
    ms: null,
  }
  const changed: ToolView =
    entry.type === 'tool:called'
      ? { ...known, args: entry.payload.args }
      : { ...known, status: entry.payload.status, result: entry.payload.result, ms: entry.payload.ms }
  return index === -1 ? [...tools, changed].slice(-MAX_PARTS_PER_TURN) : tools.with(index, changed)
}

function addOnce<Item>(items: readonly Item[], item: Item, same: (a: Item, b: Item) => boolean): readonly Item[] {
  return items.some((other) => same(other, item)) ? items : [...items, item].slice(-MAX_PARTS_PER_TURN)
}
