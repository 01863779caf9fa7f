import type { WhileRunning } from '#shared/contracts/while-running.ts'
import { DEBOUNCE_MAX_MESSAGES } from '#shared/contracts/while-running.ts'
import type { SupervisorState, Turn } from './state.ts'

/** What a new message is to the turns there are. */
export type Place =
  /** A turn of its own: last in line, or next after the one at work, which is stopped for it. */
  | { readonly is: 'turn'; readonly stops: Turn | null; readonly rollback: boolean; readonly waits: boolean }
  /** Part of a turn that waits for more. */
  | { readonly is: 'joined'; readonly turn: Turn }
  /** A word to the run at work. */
  | { readonly is: 'steer'; readonly turn: Turn }
  | { readonly is: 'refused' }

export interface NewMessage {
  readonly user: string
  readonly wanted: string | null
  /** It begins a branch of its own: it can neither be joined to others nor steer. */
  readonly edit: boolean
}

export function placeOf({ turns }: SupervisorState, policy: WhileRunning, message: NewMessage): Place {
  const [head] = turns
  const atWork = head === undefined || head.phase === 'queued' ? null : head
  const open = turns.at(-1)
  const joins = open !== undefined && canJoin(open, message)
  switch (policy) {
    case 'reject':
      return head === undefined ? OWN : { is: 'refused' }
    case 'enqueue':
      return OWN
    case 'interrupt':
      return { ...OWN, stops: atWork }
    case 'rollback':
      return { ...OWN, stops: atWork, rollback: true }
    case 'debounce':
      return joins ? { is: 'joined', turn: open } : { ...OWN, waits: true }
    case 'steer':
      if (atWork !== null) return { is: 'steer', turn: atWork }
      return joins ? { is: 'joined', turn: open } : OWN
  }
}

const OWN = { is: 'turn', stops: null, rollback: false, waits: false } as const

function canJoin(turn: Turn, { user, wanted, edit }: NewMessage): boolean {
  return (
    !edit &&
    turn.waits !== null &&
    turn.phase === 'queued' &&
    turn.principal?.user === user &&
    turn.wanted === wanted &&
    turn.joined.length + 1 < DEBOUNCE_MAX_MESSAGES
  )
}

/** The policy for a message that names none: that of the agent at work, or of the one that would get the next turn. */
export function configuredPolicy(state: SupervisorState, message: NewMessage): WhileRunning {
  const policy = state.whileRunning ?? 'enqueue'
  return message.edit && (policy === 'steer' || policy === 'debounce') ? 'enqueue' : policy
}
