import { useDeferredValue, useEffect, useMemo, useState } from 'react'
import type { Conversation } from '#gateway/client/conversation.ts'
import type { SwarmRow } from '#gateway/client/swarm-state.ts'
import type { Swarm } from '#gateway/client/swarm.ts'
import { showConversation } from '../session-store.ts'
import { useSelected } from '../use-store.ts'
import { filterRows } from './event-filter.ts'
import type { Family } from './event-filter.ts'
import { EventControls } from './event-controls.tsx'
import { EventDetail } from './event-detail.tsx'
import { EventRows } from './event-rows.tsx'
import { rowInWords } from './row-words.ts'

interface Props {
  readonly swarm: Swarm
  readonly conversation: Conversation
  readonly onJump: () => void
}

interface Frozen {
  readonly rows: readonly SwarmRow[]
  readonly seen: number
}

/** The latest events, filtered; while paused the list stands still and counts what comes. */
export function EventList({ swarm, conversation, onJump }: Props) {
  const live = useSelected(swarm, ({ state }) => state)
  const conversationId = useSelected(conversation, ({ state }) => state.conversationId)
  const [frozen, setFrozen] = useState<Frozen | null>(null)
  const [families, setFamilies] = useState<ReadonlySet<Family>>(new Set())
  const [text, setText] = useState('')
  const [onlyThis, setOnlyThis] = useState(false)
  const [selected, setSelected] = useState<number | null>(null)
  const needle = useDeferredValue(text)
  const rows = frozen?.rows ?? live.rows
  const shown = useMemo(
    () => filterRows(rows, { families, text: needle, conversationId: onlyThis ? conversationId : '' }, rowInWords),
    [rows, families, needle, onlyThis, conversationId],
  )
  const row = selected === null ? undefined : shown.find(({ key }) => key === selected)
  const jump = (id: string): void => {
    showConversation(id)
    onJump()
  }
  useEffect(() => setSelected(null), [swarm])
  return (
    <div className="events">
      <EventControls
        families={families}
        onFamilies={setFamilies}
        text={text}
        onText={setText}
        onlyThis={onlyThis}
        canOnlyThis={conversationId !== ''}
        onOnlyThis={setOnlyThis}
        paused={frozen !== null}
        behind={frozen === null ? 0 : live.seen - frozen.seen}
        onPause={() => setFrozen(frozen === null ? { rows: live.rows, seen: live.seen } : null)}
      />
      <EventRows
        rows={shown}
        frozen={frozen !== null}
        current={conversationId}
        selected={selected}
        onSelect={setSelected}
        onJump={jump}
        empty={rows.length === 0 ? 'Nothing has happened since this page was opened.' : 'No event fits the filter.'}
      />
      {row === undefined ? null : <EventDetail row={row} onJump={jump} onClose={() => setSelected(null)} />}
    </div>
  )
}
