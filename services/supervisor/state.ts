import type { ControlMode, Offer } from '#shared/contracts/control.ts'
import type { MessageFact, TurnOutcome } from '#shared/contracts/event-map.ts'
import type { Principal } from '#shared/wire/envelope.ts'

/** What a person asked, whoever will answer it. */
export interface Asked {
  messageId: string
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
  /** `review`: an answer is written, and a person decides what becomes of it. */
  phase: 'queued' | 'routing' | 'running' | 'review'
  agent: string | null
  runId: string | null
  startedAt: number
  /** The unsaid answer, in `review`, the control epoch it was written under, and how the turn ends when it is said. */
  draft: { message: MessageFact; control: number; outcome: TurnOutcome } | null
  /** Answers of this turn that were rejected. */
  rewrites: number
  /** The voice has moved on: it is being stopped, and somebody else answers its question. */
  ending: boolean
}

/** An offer, and what the conversation goes back to when nobody accepts. */
export interface OpenOffer extends Offer {
  back: Exclude<ControlMode, 'offered'>
  skills: string[]
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
  /** Connections of people of the tenant that have the conversation before their eyes, and whose they are. */
  seats: Record<string, string>
  /** The customer's latest message that nobody works on and nobody has answered. */
  unanswered: Asked | null
  /** Whispers that no agent has read. */
  whispers: { noteId: string; author: string; text: string }[]
  /** What people left for the agents at hand-back, the newest last. */
  learned: { author: string; text: string }[]
  /** The agent that answered last. */
  current: string | null
  lastMessageId: string | null
  /** The first is at work, the others wait in order. */
  turns: Turn[]
}

export const STATE_VERSION = 2

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
    turns: [],
  }
}

/** A state of an older version: what it does not know is as in the beginning. */
export function upgradeState(value: unknown): SupervisorState {
  const older = value as Partial<SupervisorState>
  const turns = (older.turns ?? []).map((turn) => ({
    ...turn,
    draft: turn.draft ?? null,
    rewrites: turn.rewrites ?? 0,
    ending: turn.ending ?? false,
  }))
  return { ...initialState(), ...older, turns }
}

export function askedIn({ messageId, text, wanted, principal, taint }: Asked): Asked {
  return { messageId, text, wanted, principal, taint }
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
