import type { Conversation } from '#gateway/client/conversation.ts'
import type { PendingMessage } from '#gateway/client/outbox.ts'
import { Icon } from '../parts/icon.tsx'

interface Props {
  readonly message: PendingMessage
  readonly conversation: Conversation
  readonly offline: boolean
}

/** Written here, not in the log yet. */
export function PendingRow({ message, conversation, offline }: Props) {
  const refused = message.status === 'refused'
  return (
    <article className="message question pending" data-refused={refused} aria-label="You, not sent yet">
      <div className="bubble">{message.text}</div>
      <p className="pending-line">
        {refused ? (
          <>
            <Icon name="warning" size={14} />
            <span>
              {message.error?.message} {message.error?.action}
            </span>
            <button type="button" className="link" onClick={() => conversation.retry(message.id)}>
              Send again
            </button>
            <button type="button" className="link" onClick={() => conversation.discard(message.id)}>
              Discard
            </button>
          </>
        ) : (
          <span>{offline ? 'Kept; sent when the connection is back' : 'Sending…'}</span>
        )}
      </p>
    </article>
  )
}
