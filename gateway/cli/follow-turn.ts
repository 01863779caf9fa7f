import { openTurns } from '#gateway/client/conversation-state.ts'
import type { ConversationState } from '#gateway/client/conversation-state.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import type { TurnOutcome } from '#shared/contracts/event-map.ts'

/** Finds the turn of one message of ours in whatever order receipt, facts and snapshots come. */
export class FollowedTurn {
  readonly #clientId: string
  #turnId: string | null = null
  /** It stood among the turns once; when it is gone from there, it is over. */
  #seen = false

  constructor(clientId: string) {
    this.#clientId = clientId
  }

  get turnId(): string | null {
    return this.#turnId
  }

  /** The receipt names it, which may come before or after its events. */
  known(turnId: string): void {
    if (turnId !== '') this.#turnId ??= turnId
  }

  is(turnId: string): boolean {
    return turnId === this.#turnId
  }

  /** Learns from the state which turn it is. */
  look(state: ConversationState): void {
    if (this.#turnId !== null) return
    const message = state.messages.find(({ clientId }) => clientId === this.#clientId)
    const turn = message === undefined ? undefined : state.turns.find(({ messageId }) => messageId === message.id)
    if (turn !== undefined) this.#turnId = turn.turnId
  }

  /** Null while it runs or is not known. */
  outcome(state: ConversationState): TurnOutcome | null {
    this.look(state)
    const turn = state.turns.find(({ turnId }) => turnId === this.#turnId)
    if (turn !== undefined) {
      this.#seen = true
      return turn.outcome
    }
    // A snapshot holds only turns that are not over: ours ended while we were away.
    const question = state.messages.find(({ clientId }) => clientId === this.#clientId)
    if (question === undefined) return null
    const answer = state.messages.find(({ parentId, role }) => parentId === question.id && role !== 'user')
    if (answer?.status === 'complete') return 'answered'
    return this.#seen ? 'stopped' : null
  }
}

/** The turn at work now, if one is. */
export function runningTurn(conversation: Conversation): string | null {
  return openTurns(conversation.latest.state).at(-1)?.turnId ?? null
}
