import type { LogEntry, Snapshot } from '#shared/contracts/client.ts'
import type {
  EventPayload,
  MessageFact,
  ReviewItem,
  StopReport,
  TurnOutcome,
  Usage,
} from '#shared/contracts/event-map.ts'
import type { z } from 'zod'
import { NO_TEXT } from './fold-text.ts'
import type { StreamedText } from './fold-text.ts'
import { NO_BRANCH } from './fold-branch.ts'
import type { BranchView } from './fold-branch.ts'
import { placeMessage } from './place-message.ts'
import { NO_STAFF, staffFrom } from './staff-state.ts'
import type { StaffState } from './staff-state.ts'

/**
 * What a conversation looks like at a cursor: plain data, JSON-safe (a page may keep it over a reload), never changed in
 * place. An entry that changes one message or turn leaves the identity of all others as it was.
 */
export interface ConversationState {
  readonly conversationId: string
  /** Cursor of the last entry folded, or of the snapshot; null before either. */
  readonly cursor: string | null
  /** In reading order: an answer stands behind its question, however late it came. */
  readonly messages: readonly MessageView[]
  /** In order of their start. After a snapshot, only those that were not over. */
  readonly turns: readonly TurnView[]
  readonly control: Control
  readonly branch: BranchView
  /** Actors of this conversation that said anything of themselves, by `kind/key`. Operators only. */
  readonly actors: Readonly<Record<string, ActorView>>
  readonly letters: readonly EventPayload<'letter:buried'>[]
  readonly staff: StaffState
  /** What waits for a person, and what was decided since this view began; the oldest first. Operators only. */
  readonly reviews: readonly ReviewItem[]
}

export interface Control {
  readonly owner: string
  readonly mode: string
  readonly control: number
}

/** `cut`: its turn ended and no final text came. */
export type MessageStatus = 'streaming' | 'complete' | 'cut' | 'retracted'

export interface MessageView extends StreamedText {
  readonly id: string
  readonly clientId: string
  readonly parentId: string | null
  readonly role: MessageFact['role']
  readonly author: string
  /** The author's name for people; the author where none is known. */
  readonly title: string
  readonly citations: MessageFact['citations']
  readonly extractive: boolean
  readonly data: unknown
  /** 0 while it is streamed. */
  readonly revision: number
  readonly at: number
  readonly status: MessageStatus
  /** Why it was withdrawn; empty otherwise. */
  readonly reason: string
  readonly turnId: string | null
}

export interface TurnView {
  readonly turnId: string
  /** The message being answered; empty when its start was not seen. */
  readonly messageId: string
  readonly outcome: TurnOutcome | null
  readonly startedAt: number
  readonly ms: number | null
  readonly agent: string | null
  readonly title: string
  readonly runId: string | null
  readonly answerId: string | null
  readonly route: { readonly agent: string | null; readonly reason: string; readonly ms: number } | null
  readonly run: RunView | null
  readonly steps: readonly StepView[]
  readonly tools: readonly ToolView[]
  /** Messages that the turn heard while it was at work, and with which step. */
  readonly steered: readonly { readonly messageId: string; readonly step: number }[]
  readonly checks: readonly CheckView[]
  /** Why a person was offered; null when none was. */
  readonly offered: string | null
  /** Review items that its run waits for; none while it works. */
  readonly parked: readonly string[]
  readonly error: EventPayload<'turn:ended'>['error']
  readonly report: StopReport | null
}

export interface RunView {
  readonly model: string
  readonly attempt: number
  readonly usage: z.infer<typeof Usage> | null
}

export interface StepView {
  readonly id: string
  readonly step: EventPayload<'run:progress'>['step']
  readonly label: string
}

export interface ToolView {
  readonly callId: string
  readonly tool: string
  readonly args: Readonly<Record<string, unknown>>
  readonly status: EventPayload<'tool:returned'>['status'] | 'running'
  readonly result: unknown
  readonly startedAt: number
  readonly ms: number | null
}

export type CheckView = Omit<EventPayload<'guardrail:checked'>, 'turnId' | 'runId'> & { readonly id: string }

export interface ActorView extends EventPayload<'actor:changed'> {
  readonly conversationId: string
  readonly at: number
}

export function emptyConversation(conversationId = ''): ConversationState {
  return {
    conversationId,
    cursor: null,
    messages: [],
    turns: [],
    control: { owner: '', mode: 'auto', control: 0 },
    branch: NO_BRANCH,
    actors: {},
    letters: [],
    staff: NO_STAFF,
    reviews: [],
  }
}

/** Replaces whatever was known. Entries after the snapshot's cursor that it already holds fold into it harmlessly. */
export function fromSnapshot(snapshot: Snapshot): ConversationState {
  let messages: readonly MessageView[] = []
  for (const fact of snapshot.messages) messages = placeMessage(messages, fromFact(fact, null))
  const turns = snapshot.turns.map((open) => ({
    ...newTurn(open.turnId, 0),
    messageId: open.messageId,
    agent: open.agent,
    title: open.agent ?? '',
    runId: open.runId,
    answerId: open.answerId,
  }))
  for (const turn of turns) {
    const { answerId } = turn
    if (answerId === null || messages.some((message) => message.id === answerId)) continue
    messages = placeMessage(messages, newAnswer(answerId, turn, 0))
  }
  return {
    ...emptyConversation(snapshot.conversationId),
    cursor: snapshot.cursor,
    messages,
    turns,
    control: snapshot.control,
    staff: staffFrom(snapshot.staff),
    branch: snapshot.branch ?? NO_BRANCH,
    reviews: snapshot.reviews ?? [],
  }
}

export function fromFact(fact: MessageFact, known: MessageView | null): MessageView {
  return {
    ...fact,
    tail: null,
    title: known !== null && known.author === fact.author ? known.title : fact.author,
    status: 'complete',
    reason: '',
    turnId: known?.turnId ?? null,
  }
}

/** The place of an answer that has begun and is not finished. */
export function newAnswer(id: string, turn: Partial<TurnView>, at: number): MessageView {
  return {
    ...NO_TEXT,
    id,
    clientId: '',
    parentId: turn.messageId === undefined || turn.messageId === '' ? null : turn.messageId,
    role: 'assistant',
    author: turn.agent ?? '',
    title: turn.title ?? turn.agent ?? '',
    citations: [],
    extractive: false,
    data: null,
    revision: 0,
    at,
    status: 'streaming',
    reason: '',
    turnId: turn.turnId ?? null,
  }
}

export function newTurn(turnId: string, startedAt: LogEntry['at']): TurnView {
  return {
    turnId,
    messageId: '',
    outcome: null,
    startedAt,
    ms: null,
    agent: null,
    title: '',
    runId: null,
    answerId: null,
    route: null,
    run: null,
    steps: [],
    tools: [],
    steered: [],
    checks: [],
    offered: null,
    parked: [],
    error: null,
    report: null,
  }
}

/** Turns at work now, oldest first. */
export function openTurns(state: ConversationState): readonly TurnView[] {
  return state.turns.filter((turn) => turn.outcome === null)
}

/** The turn that a message asked for or answers. */
export function turnOf(state: ConversationState, message: MessageView): TurnView | undefined {
  return state.turns.find((turn) =>
    message.role === 'user'
      ? turn.messageId === message.id
      : turn.turnId === message.turnId || turn.answerId === message.id,
  )
}
