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
  /** `parked`: the agent waits for people, and nothing is at work. */
  phase: 'queued' | 'routing' | 'running' | 'parked'
  agent: string | null
  runId: string | null
  startedAt: number
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
}

export function initialState(): SupervisorState {
  return { user: '', control: 1, owner: '', mode: 'auto', current: null, lastMessageId: null, turns: [] }
}
