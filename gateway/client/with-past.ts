import type { LogEntry } from '#shared/contracts/client.ts'
import type { ConversationState, TurnView } from './conversation-state.ts'
import { knownEntry } from './known-entry.ts'
import { fold } from './reduce.ts'

/**
 * The state of a snapshot with what the log still tells operators of the newest turns: finished ones with their tool calls,
 * and what those under way had done so far. Messages are the snapshot's; the cursor stays where it is.
 */
export function withPast(state: ConversationState, past: readonly LogEntry[]): ConversationState {
  if (past.length === 0) return state
  const known = new Set(state.messages.map(({ id }) => id))
  let folded: ConversationState = { ...state, turns: [] }
  for (const entry of past) {
    const event = knownEntry(entry)
    // An answer that the snapshot does not hold was never finished, or is older than what it holds.
    if (event === null || (event.type === 'agent:speaking' && !known.has(event.payload.messageId))) continue
    folded = fold(folded, event)
  }
  const turns = new Map<string, TurnView>(folded.turns.map((turn) => [turn.turnId, turn]))
  for (const open of state.turns) {
    const { turnId, messageId, agent, title, runId, answerId } = open
    const told = turns.get(turnId)
    turns.set(turnId, told === undefined ? open : { ...told, messageId, agent, title, runId, answerId, outcome: null })
  }
  return { ...folded, turns: [...turns.values()] }
}
