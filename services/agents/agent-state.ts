import type { ParkedTurn } from './parked.ts'
import type { Pending } from '#shared/contracts/pending.ts'

export interface AgentState {
  turns: number
  /** Runs under way, by turn. */
  running: Record<string, RunningTurn>
  /** Turns that wait for people, by turn. */
  parked?: Record<string, ParkedTurn>
}

export interface RunningTurn {
  runId: string
  startedAt: number
  /** The thread of checkpoints that it goes on with; absent: its own. */
  thread?: string
  /** What its words follow: the message that it answers, or what was said since. */
  messageId?: string
  /** Messages said to it that it has heard, in order. */
  heard?: string[]
  /** Said to it and not heard yet, in order. */
  pending?: Pending[]
}
