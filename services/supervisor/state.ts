import type { Pending } from '#shared/contracts/pending.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import type { Principal } from '#shared/wire/envelope.ts'

/** One message being answered, or waiting to be. */
export interface Turn {
  turnId: string
  messageId: string
  /** Id of the message that will be the answer. */
  answerId: string
  text: string
  /** The agent that the sender asked for; null: routing decides. */
  wanted: string | null
  principal: Principal | null
  taint: string[]
  phase: 'queued' | 'routing' | 'running'
  agent: string | null
  runId: string | null
  startedAt: number
  /** Messages before `messageId` that are answered with it (debounce). */
  joined: string[]
  /** Debounced: when it begins, and when it does at the latest. */
  waits: { until: number; atMost: number } | null
  /** What the first of its messages was stored under. */
  parentId: string | null
  /** It does not follow what was said last: a branch begins with it. */
  branch: { kind: 'regenerate' | 'edit' | 'fork'; leafBefore: string | null } | null
  /** The checkpoint that its run begins from. */
  from: { thread: string; checkpointId: string } | null
  /** Said to it before an agent had it. */
  pending: Pending[]
  /** It is being stopped, and what of it remains. */
  stopping: 'keep' | 'rollback' | null
}

/** Undelivered messages that a snapshot names. */
export const UNDELIVERED_KEPT = 20

export interface SupervisorState {
  /** Whose conversation it is; empty until it is opened. */
  user: string
  /** Control epoch (I7): grows with every new owner of the voice. */
  control: number
  owner: string
  mode: 'auto' | 'human'
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
}

export function initialState(): SupervisorState {
  return {
    user: '',
    control: 1,
    owner: '',
    mode: 'auto',
    current: null,
    lastMessageId: null,
    whileRunning: null,
    undelivered: [],
    watchAt: 0,
    turns: [],
  }
}

export const STATE_VERSION = 2

/** A conversation of before has no branches and nothing pending. */
export function upgradeState(value: unknown): SupervisorState {
  const before = value as SupervisorState
  const fresh = {
    joined: [],
    waits: null,
    parentId: before.lastMessageId,
    branch: null,
    from: null,
    pending: [],
    stopping: null,
  }
  return { ...initialState(), ...before, turns: before.turns.map((turn) => ({ ...fresh, ...turn })) }
}
