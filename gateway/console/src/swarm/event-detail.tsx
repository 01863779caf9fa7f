import type { SwarmRow } from '#gateway/client/swarm-state.ts'
import { Icon } from '../parts/icon.tsx'

const SHOWN_CHARS = 20_000

export interface Props {
  readonly row: SwarmRow
  readonly onJump: (conversationId: string) => void
  readonly onClose: () => void
}

/** Everything the log says of one event. */
export function EventDetail({ row: { entry, count }, onJump, onClose }: Props) {
  return (
    <aside className="event-detail" aria-label={`Event ${entry.type}`}>
      <header>
        <strong className="event-type">{entry.type}</strong>
        {count > 1 ? <span className="faint">latest of {count}</span> : null}
        <button type="button" className="button small" onClick={() => onJump(entry.conversationId)}>
          <Icon name="jump" size={14} />
          Conversation
        </button>
        <button type="button" className="icon-button small" onClick={onClose} aria-label="Close the event">
          <Icon name="close" size={14} />
        </button>
      </header>
      <dl className="pairs">
        <div>
          <dt>by</dt>
          <dd>{entry.by}</dd>
        </div>
        <div>
          <dt>audience</dt>
          <dd>{entry.audience}</dd>
        </div>
        <div>
          <dt>cursor</dt>
          <dd>{entry.cursor}</dd>
        </div>
      </dl>
      <pre tabIndex={0}>{JSON.stringify(entry.payload, null, 2).slice(0, SHOWN_CHARS)}</pre>
    </aside>
  )
}
