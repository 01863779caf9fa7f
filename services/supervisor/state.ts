import type { TurnLimits } from '#shared/contracts/agent.ts'
import type { Allotment } from '#shared/contracts/budget.ts'
import type { ControlMode, Offer } from '#shared/contracts/control.ts'
import type { MessageFact, TurnOutcome } from '#shared/contracts/event-map.ts'
import type { Pending } from '#shared/contracts/pending.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import type { Principal } from '#shared/wire/envelope.ts'

/** What a person asked, whoever will answer it. */
export interface Asked {
  messageId: string
  /** What the first of its messages was stored under. */
  parentId: string | null
  text: string
  /** The agent that the sender asked for; null: routing decides. */
  wanted: string | null
  principal: Principal | null
  taint: string[]
}

/** One message being answered, or waiting to be. */
export interface Turn extends Asked {
  turnId: string
  /** Id of the message that will be the answer. */
  answerId: string
  /**
   * `review`: an answer is written, and a person decides what becomes of it. `parked`: a run waits for people, and nothing
   * is at work.
   */
  phase: 'queued' | 'routing' | 'running' | 'review' | 'parked'
  agent: string | null
  runId: string | null
  startedAt: number
  /** The unsaid answer, in `review`, the control epoch it was written under, and how the turn ends when it is said. */
  draft: { message: MessageFact; control: number; outcome: TurnOutcome } | null
  /** Answers of this turn that were rejected. */
  rewrites: number
  /** The voice has moved on: it is being stopped, and somebody else answers its question. */
  ending: boolean
  /** Messages before `messageId` that are answered with it (debounce). */
  joined: string[]
  /** Debounced: when it begins, and when it does at the latest. */
  waits: { until: number; atMost: number } | null
  /** It does not follow what was said last: a branch begins with it. */
  branch: { kind: 'regenerate' | 'edit' | 'fork'; leafBefore: string | null } | null
  /** It answers a message that stands in the branch already: the answer follows what was said last, this one. */
  follows: string | null
  /** The checkpoint that its run begins from. */
  from: { thread: string; checkpointId: string } | null
  /** Said to it before an agent had it. */
  pending: Pending[]
  /** It is being stopped, and what of it remains. */
  stopping: 'keep' | 'rollback' | null
  limits?: TurnLimits | null
  /** Agents that had it, in order. */
  path?: string[]
  handedOver?: { from: string; reason: string } | null
  /** What the run at work may spend. */
  budget?: Allotment
  /** What was set aside for it; `day` when the tenant's day is bounded. */
  reserved?: (Amounts & { day: string | null }) | null
  /** By runs that are over. */
  spent?: Amounts
  /** What of the thread at work is in `spent` already. */
  settled?: Amounts | null
  /** What somebody added to its limits. */
  raised?: Amounts & { wallMs: number }
  /** It waits for somebody who raises its budget. */
  parked?: { agent: string; thread: string | null; more?: Record<string, number> } | null
  /** The thread of checkpoints that the next run goes on with. */
  thread?: string | null
}

export interface Amounts {
  tokens: number
  costMicros: number
}

/** An offer, and what the conversation goes back to when nobody accepts. */
export interface OpenOffer extends Offer {
  back: Exclude<ControlMode, 'offered'>
  skills: string[]
}

/** Undelivered messages that a snapshot names. */
export const UNDELIVERED_KEPT = 20

/** Whose a seat is, and on which gateway; empty where a state of before says none. */
export interface SeatOf {
  user: string
  node: string
}

export interface SupervisorState {
  /** Whose conversation it is; empty until it is opened. */
  user: string
  /** Control epoch (I7): grows with every new owner of the voice. Changed by `moveControl` alone, as owner and mode are. */
  control: number
  owner: string
  mode: ControlMode
  offer: OpenOffer | null
  /** The team whose member has it, for whom it counts as load. */
  heldFor: string | null
  assigned: { user: string | null; team: string | null }
  /** Connections of people of the tenant that have the conversation before their eyes. */
  seats: Record<string, SeatOf>
  /** The owner is waited for until `ownerAway` fires. */
  ownerAway?: boolean
  /** The customer's latest message that nobody works on and nobody has answered. */
  unanswered: Asked | null
  /** Whispers that no agent has read. */
  whispers: { noteId: string; author: string; text: string }[]
  /** What people left for the agents at hand-back, the newest last. */
  learned: { author: string; text: string }[]
  /** The agent that answered last. */
  current: string | null
  /** The end of the active branch. */
  lastMessageId: string | null
  /** What the agent that had the last turn does with messages while it works. */
  whileRunning: WhileRunning | null
  undelivered: { messageId: string; reason: string }[]
  /** When the watchdog looks next, or 0. */
  watchAt: number
  /** The first is at work, the others wait in order. */
  turns: Turn[]
  /** By all turns that are over. */
  spent?: Amounts
}

export const STATE_VERSION = 3

export function initialState(): SupervisorState {
  return {
    user: '',
    control: 1,
    owner: '',
    mode: 'auto',
    offer: null,
    heldFor: null,
    assigned: { user: null, team: null },
    seats: {},
    unanswered: null,
    whispers: [],
    learned: [],
    current: null,
    lastMessageId: null,
    whileRunning: null,
    undelivered: [],
    watchAt: 0,
    turns: [],
  }
}

/** A state of an older version: what it does not know is as in the beginning. */
export function upgradeState(value: unknown): SupervisorState {
  const older = value as Partial<Omit<SupervisorState, 'seats'>> & { seats?: Record<string, string | SeatOf> }
  const fresh = { parentId: older.lastMessageId ?? null, ...FRESH_TURN }
  return {
    ...initialState(),
    ...older,
    seats: Object.fromEntries(
      Object.entries(older.seats ?? {}).map(([name, of]) => [
        name,
        typeof of === 'string' ? { user: of, node: '' } : of,
      ]),
    ),
    turns: (older.turns ?? []).map((turn) => ({ ...structuredClone(fresh), ...turn })),
  }
}

/** What a turn knows before anything has happened to it. */
export const FRESH_TURN = {
  draft: null,
  rewrites: 0,
  ending: false,
  joined: [] as string[],
  waits: null,
  branch: null,
  follows: null,
  from: null,
  pending: [] as Pending[],
  stopping: null,
} as const satisfies Partial<Turn>

export function askedIn({ messageId, parentId, text, wanted, principal, taint }: Asked): Asked {
  return { messageId, parentId, text, wanted, principal, taint }
}

/** Who can be heard: agents, agents through a person's decisions, or one person. */
export function speaker({ owner, mode, offer }: Pick<SupervisorState, 'owner' | 'mode' | 'offer'>): string {
  switch (mode) {
    case 'human':
      return `person ${owner}`
    case 'offered':
      return offer?.back === 'supervised' ? 'drafts' : 'agents'
    case 'supervised':
      return 'drafts'
    case 'auto':
      return 'agents'
  }
}

/** Whether agents' answers are drafts at the moment. */
export function draftsOnly(state: SupervisorState): boolean {
  return speaker(state) === 'drafts'
}
