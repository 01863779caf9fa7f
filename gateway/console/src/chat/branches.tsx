import { useState } from 'react'
import { openTurns } from '#gateway/client/conversation-state.ts'
import type { ConversationState, MessageView } from '#gateway/client/conversation-state.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import { alternativesOf } from '#gateway/client/fold-branch.ts'
import { failureOf } from '#gateway/client/request-failed.ts'

interface Props {
  readonly conversation: Conversation
  readonly state: ConversationState
  readonly message: MessageView
}

/** Under a message: that it was not heard, what else was said in its place, and for an answer another try. */
export function Branches({ conversation, state, message }: Props) {
  const [problem, setProblem] = useState('')
  const missed = state.branch.undelivered.find(({ messageId }) => messageId === message.id)
  const others = alternativesOf(state, message)
  const at = others.findIndex(({ id }) => id === message.id)
  const idle = openTurns(state).length === 0
  const last = message.id === state.branch.leafId && message.role === 'assistant' && message.status === 'complete'
  if (missed === undefined && others.length < 2 && !last) return null
  const attempt = (work: Promise<unknown>): void => {
    work.then(
      () => setProblem(''),
      (thrown: unknown) => setProblem(failureOf(thrown).message),
    )
  }
  const select = (step: number) => {
    const other = others[at + step]
    if (other !== undefined) attempt(conversation.select(other.id))
  }
  return (
    <p className="hint branches" data-role={message.role}>
      {missed === undefined ? null : <span className="field-error">Not heard: {missed.reason}</span>}
      {others.length < 2 ? null : (
        <>
          <button type="button" className="button" disabled={!idle || at === 0} onClick={() => select(-1)}>
            ‹<span className="hidden">Earlier version</span>
          </button>
          <span>
            {at + 1} of {others.length}
          </span>
          <button
            type="button"
            className="button"
            disabled={!idle || at === others.length - 1}
            onClick={() => select(1)}
          >
            ›<span className="hidden">Later version</span>
          </button>
        </>
      )}
      {last && idle ? (
        <button type="button" className="button" onClick={() => attempt(conversation.regenerate(message.id))}>
          Answer again
        </button>
      ) : null}
      {problem === '' ? null : (
        <span className="field-error" role="alert">
          {problem}
        </span>
      )}
    </p>
  )
}
