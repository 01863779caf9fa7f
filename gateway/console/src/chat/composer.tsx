import { memo, useCallback, useEffect, useRef, useState } from 'react'
import type { KeyboardEvent } from 'react'
import type { Conversation } from '#gateway/client/conversation.ts'
import { openTurns } from '#gateway/client/conversation-state.ts'
import { failureOf } from '#gateway/client/request-failed.ts'
import type { MAX_TEXT_CHARS } from '#shared/contracts/client.ts'
import { Icon } from '../parts/icon.tsx'
import { draft, keepDraft } from '../session.ts'
import { useSelected } from '../use-store.ts'

const MAX_CHARS: typeof MAX_TEXT_CHARS = 16_000
/** From here on the room left is shown. */
const SHOW_ROOM_CHARS = 14_000

/** Apart from every streaming subscription: only the running turn's id reaches it, so typing never waits for text. */
export const Composer = memo(function Composer({ conversation }: { readonly conversation: Conversation }) {
  const [text, setText] = useState(draft)
  const [problem, setProblem] = useState('')
  const running = useSelected(conversation, ({ state }) => openTurns(state).at(-1)?.turnId ?? null)
  const failed = useSelected(conversation, ({ phase }) => phase === 'failed')
  const field = useRef<HTMLTextAreaElement>(null)
  const tooLong = text.length > MAX_CHARS
  const ready = text.trim() !== '' && !tooLong && !failed

  useEffect(() => keepDraft(text), [text])

  const send = (): void => {
    if (!ready) return
    conversation.send(text.trim())
    setText('')
    setProblem('')
    field.current?.focus()
  }
  const stop = useCallback(() => {
    if (running === null) return
    conversation.stop(running).then(
      () => setProblem(''),
      (thrown: unknown) => setProblem(`Not stopped. ${failureOf(thrown).message}`),
    )
  }, [conversation, running])

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      if (event.key === 'Escape' && running !== null && !event.defaultPrevented) stop()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [running, stop])

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <label className="hidden" htmlFor="compose">
        Message
      </label>
      <textarea
        id="compose"
        ref={field}
        rows={1}
        value={text}
        disabled={failed}
        placeholder="Ask something"
        aria-describedby="compose-hint"
        aria-invalid={tooLong}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        autoFocus
      />
      <div className="composer-line">
        <p id="compose-hint" className="hint">
          {problem !== '' ? (
            <span className="field-error" role="alert">
              {problem}
            </span>
          ) : text.length > SHOW_ROOM_CHARS ? (
            <span className={tooLong ? 'field-error' : ''}>
              {text.length.toLocaleString()} of {MAX_CHARS.toLocaleString()} characters
            </span>
          ) : (
            <>
              <kbd>Enter</kbd> sends{' '}
              <span className="wide-only">
                · <kbd>Shift</kbd> <kbd>Enter</kbd> new line
              </span>
              {running === null ? null : (
                <>
                  {' '}
                  · <kbd>Esc</kbd> stops
                </>
              )}
            </>
          )}
        </p>
        {running === null ? null : (
          <button type="button" className="button stop" onClick={stop}>
            <Icon name="stop" />
            Stop
          </button>
        )}
        <button type="submit" className="button primary send" disabled={!ready}>
          <Icon name="send" />
          Send
        </button>
      </div>
    </form>
  )
})
