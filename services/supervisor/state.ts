import type { TurnLimits } from '#shared/contracts/agent.ts'
import type { Allotment } from '#shared/contracts/budget.ts'
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
  phase: 'queued' | 'routing' | 'running' | 'parked'
  agent: string | null
  runId: string | null
  startedAt: number
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
  parked?: { agent: string; thread: string | null } | null
  /** The thread of checkpoints that the next run goes on with. */
  thread?: string | null
}

export interface Amounts {
  tokens: number
  costMicros: number
}

export interface SupervisorState {
  /** Whose conversation it is; empty until it is opened. */
  user: string
  /** Control epoch (I7): grows with every new owner of the voice. */
  control: number
  owner: string
  mode: 'auto' | 'human'
  /** The agent that answered last. */
  current: string | null
  lastMessageId: string | null
  /** The first is at work, the others wait in order. */
  turns: Turn[]
  /** By all turns that are over. */
  spent?: Amounts
}

export function initialState(): SupervisorState {
  return { user: '', control: 1, owner: '', mode: 'auto', current: null, lastMessageId: null, turns: [] }
}
