import type { Conversation } from '#gateway/client/conversation.ts'
import { openTurns } from '#gateway/client/conversation-state.ts'
import { asWords } from '#gateway/client/words.ts'
import { Cell } from '../parts/cell.tsx'
import { useSelected } from '../use-store.ts'

/** Which conversation it is, and who has its voice. */
export function ConversationBar({ conversation }: { readonly conversation: Conversation }) {
  const id = useSelected(conversation, ({ state }) => state.conversationId)
  const owner = useSelected(conversation, ({ state }) => state.control.owner)
  const human = useSelected(conversation, ({ state }) => state.control.mode === 'human')
  const speaker = useSelected(
    conversation,
    ({ state }) => openTurns(state).findLast((turn) => turn.agent !== null)?.title ?? '',
  )
  const waiting = useSelected(conversation, ({ state }) => openTurns(state).length)
  return (
    <div className="bar">
      <p className="bar-title">
        {id === '' ? (
          'New conversation'
        ) : (
          <>
            Conversation <code title={id}>{id.slice(-8)}</code>
          </>
        )}
      </p>
      <p className="bar-voice">
        {speaker !== '' ? (
          <>
            <Cell kind="agent" size={12} />
            <strong>{speaker}</strong> has the turn
          </>
        ) : waiting > 0 ? (
          <>
            <Cell kind="supervisor" size={12} />
            Supervisor is at work
          </>
        ) : owner !== '' ? (
          <>
            <Cell kind={human ? 'person' : 'agent'} size={12} />
            <strong>{asWords(owner)}</strong> has the voice
          </>
        ) : null}
        {waiting > 1 ? <span className="faint"> · {waiting - 1} more waiting</span> : null}
      </p>
    </div>
  )
}
