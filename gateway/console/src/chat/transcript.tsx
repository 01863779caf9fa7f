import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import type { ConversationState, TurnView } from '#gateway/client/conversation-state.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import { Cell } from '../parts/cell.tsx'
import { Icon } from '../parts/icon.tsx'
import { useSelected, useStore } from '../use-store.ts'
import type { Client } from '#gateway/client/client.ts'
import { activeMessages } from '#gateway/client/fold-branch.ts'
import { Branches } from './branches.tsx'
import { MessageRow } from './message-row.tsx'
import { PendingRow } from './pending-row.tsx'
import { TurnEnd, TurnTrail } from './turn-trail.tsx'

/** Closer to the end than this, the reader follows it. */
const FOLLOW_PX = 80

interface Props {
  readonly client: Client
  readonly conversation: Conversation
  readonly me: string
  readonly empty: ReactNode
}

export function Transcript({ client, conversation, me, empty }: Props) {
  const { state, pending } = useStore(conversation)
  const offline = useSelected(client.connection, ({ status }) => status === 'offline')
  const { box, following, onScroll, follow } = useFollow(state, pending)
  const turns = useMemo(() => new TurnIndex(state), [state])
  const messages = useMemo(() => activeMessages(state), [state])
  const nothing = state.messages.length === 0 && pending.length === 0
  return (
    <div className="transcript-frame">
      <div
        className="transcript"
        ref={box}
        onScroll={onScroll}
        role="log"
        aria-live="off"
        aria-label="Conversation"
        tabIndex={0}
      >
        {nothing ? empty : null}
        <div className="transcript-column">
          {messages.map((message) => (
            <MessageGroup key={message.id} turn={turns.waitingBehind(message.id)}>
              <MessageRow message={message} turn={turns.answeredBy(message.id)} me={me} />
              <Branches conversation={conversation} state={state} message={message} />
            </MessageGroup>
          ))}
          {pending.map((message) => (
            <PendingRow key={message.id} message={message} conversation={conversation} offline={offline} />
          ))}
        </div>
      </div>
      {following ? null : (
        <button type="button" className="button to-end" onClick={follow}>
          <Icon name="down" />
          Latest
        </button>
      )}
    </div>
  )
}

/** A question, and under it the turn that works on it as long as no answer has begun. */
function MessageGroup({ turn, children }: { readonly turn: TurnView | undefined; readonly children: ReactNode }) {
  return (
    <>
      {children}
      {turn === undefined ? null : (
        <article className="message answer" aria-label="Work on the question">
          <Cell kind="supervisor" letter="S" size={30} />
          <div className="answer-body">
            <p className="author">
              <strong>Supervisor</strong>
            </p>
            <TurnTrail turn={turn} speaks={false} />
            {turn.outcome === null && turn.steps.length === 0 ? (
              <p className="step-now">
                <span className="working" aria-hidden="true" />
                {turn.route === null ? 'Choosing who answers' : 'Waiting for the agent'}
              </p>
            ) : null}
            <TurnEnd turn={turn} />
          </div>
        </article>
      )}
    </>
  )
}

class TurnIndex {
  readonly #byAnswer = new Map<string, TurnView>()
  readonly #byQuestion = new Map<string, TurnView>()

  constructor(state: ConversationState) {
    const messages = new Set(state.messages.map((message) => message.id))
    const turns = new Map(state.turns.map((turn) => [turn.turnId, turn]))
    for (const message of state.messages) {
      const turn = message.turnId === null ? undefined : turns.get(message.turnId)
      if (turn !== undefined && message.role !== 'user') this.#byAnswer.set(message.id, turn)
    }
    const answered = new Set(this.#byAnswer.values())
    for (const turn of state.turns) {
      if (turn.answerId !== null && messages.has(turn.answerId)) this.#byAnswer.set(turn.answerId, turn)
      else if (!answered.has(turn)) this.#byQuestion.set(turn.messageId, turn)
    }
  }

  answeredBy(messageId: string): TurnView | undefined {
    return this.#byAnswer.get(messageId)
  }

  waitingBehind(messageId: string): TurnView | undefined {
    return this.#byQuestion.get(messageId)
  }
}

/** Keeps the end in view while the reader is there, and leaves them alone while they read further up. */
function useFollow(...changes: readonly unknown[]) {
  const box = useRef<HTMLDivElement>(null)
  const [following, setFollowing] = useState(true)
  const lastTop = useRef(0)
  const toEnd = useCallback(() => {
    const element = box.current
    if (element !== null) element.scrollTop = element.scrollHeight
  }, [])
  useLayoutEffect(() => {
    if (following) toEnd()
  }, [following, toEnd, ...changes])
  useEffect(() => {
    const element = box.current
    if (element === null || !following) return undefined
    const observer = new ResizeObserver(toEnd)
    observer.observe(element)
    return () => observer.disconnect()
  }, [following, toEnd])
  const onScroll = useCallback(() => {
    const element = box.current
    if (element === null) return
    const { scrollTop: top, clientHeight, scrollHeight } = element
    if (scrollHeight - top - clientHeight < FOLLOW_PX) setFollowing(true)
    else if (top < lastTop.current) setFollowing(false) // only a reader scrolls up; text that grows never does
    lastTop.current = top
  }, [])
  const follow = useCallback(() => setFollowing(true), [])
  return { box, following, onScroll, follow }
}
