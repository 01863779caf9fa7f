import { memo, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { KeyboardEvent } from 'react'
import type { SwarmRow } from '#gateway/client/swarm-state.ts'
import { Icon } from '../parts/icon.tsx'
import { familyOf } from './event-filter.ts'
import { rowInWords } from './row-words.ts'

/** The same as --row in swarm.css. */
const ROW_PX = 26
/** Rows drawn beyond what is seen, so that fast scrolling shows no holes. */
const SPARE_ROWS = 8

interface Props {
  readonly rows: readonly SwarmRow[]
  readonly frozen: boolean
  /** The conversation on show. */
  readonly current: string
  readonly selected: number | null
  readonly onSelect: (key: number | null) => void
  readonly onJump: (conversationId: string) => void
  readonly empty: string
}

/**
 * Only the rows in view are in the document. The list follows its end while the reader is there and stands still while
 * they look further up. Arrow keys choose a row, Enter goes to its conversation.
 */
export function EventRows({ rows, frozen, current, selected, onSelect, onJump, empty }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 400 })
  const [following, setFollowing] = useState(true)
  const lastTop = useRef(0)
  const first = Math.max(0, Math.floor(view.top / ROW_PX) - SPARE_ROWS)
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW_PX) + SPARE_ROWS)

  const look = useCallback(() => {
    const element = box.current
    if (element === null) return
    const { scrollTop: top, clientHeight: height, scrollHeight } = element
    setView((known) => (known.top === top && known.height === height ? known : { top, height }))
    if (scrollHeight - top - height < ROW_PX * 1.5) setFollowing(true)
    else if (top < lastTop.current) setFollowing(false) // only a reader scrolls up; rows and layout never do
    lastTop.current = top
  }, [])
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    if (following && !frozen) element.scrollTop = element.scrollHeight
    setView({ top: element.scrollTop, height: element.clientHeight })
  }, [rows, following, frozen, view.height])

  // Shown again, or given more room: what is in view is another part.
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const observer = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // The detail of a chosen event takes room below: the event itself stays in view.
  useLayoutEffect(() => {
    const element = box.current
    const at = selected === null ? -1 : rows.findIndex(({ key }) => key === selected)
    if (element === null || at === -1) return
    const bottom = (at + 1) * ROW_PX
    if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight
  }, [selected])

  const choose = (index: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))]
    const element = box.current
    if (row === undefined || element === null) return
    onSelect(row.key)
    const top = rows.indexOf(row) * ROW_PX
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + ROW_PX > element.scrollTop + element.clientHeight)
      element.scrollTop = top + ROW_PX - element.clientHeight
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = rows.findIndex(({ key }) => key === selected)
    const page = Math.max(1, Math.floor(view.height / ROW_PX) - 1)
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    }
    const to = steps[event.key]
    if (to !== undefined) {
      event.preventDefault()
      choose(at === -1 && event.key.endsWith('Up') ? rows.length - 1 : to)
    } else if (event.key === 'Enter' && rows[at] !== undefined) {
      onJump(rows[at].entry.conversationId)
    } else if (event.key === 'Escape' && selected !== null) {
      event.preventDefault()
      onSelect(null)
    }
  }
  return (
    <div className="event-frame">
      <div
        className="event-scroll"
        ref={box}
        onScroll={look}
        onKeyDown={onKeyDown}
        tabIndex={0}
        role="listbox"
        aria-label="Events; arrow keys choose, Enter opens the conversation"
        aria-activedescendant={selected === null ? undefined : `event-${selected}`}
      >
        {rows.length === 0 ? <p className="nothing">{empty}</p> : null}
        <div className="event-space" style={{ height: rows.length * ROW_PX }}>
          <div className="event-window" style={{ transform: `translateY(${first * ROW_PX}px)` }}>
            {rows.slice(first, last).map((row) => (
              <EventRow
                key={row.key}
                row={row}
                here={row.entry.conversationId === current}
                selected={row.key === selected}
                onSelect={onSelect}
                onJump={onJump}
              />
            ))}
          </div>
        </div>
      </div>
      {following || frozen ? null : (
        <button type="button" className="button small to-end" onClick={() => setFollowing(true)}>
          <Icon name="down" size={14} />
          Latest
        </button>
      )}
    </div>
  )
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

function Time({ at }: { readonly at: number }) {
  const ms = String(Math.floor(at % 1000)).padStart(3, '0')
  return (
    <time>
      {clock.format(at)}
      <span>.{ms}</span>
    </time>
  )
}

interface RowProps {
  readonly row: SwarmRow
  readonly here: boolean
  readonly selected: boolean
  readonly onSelect: (key: number | null) => void
  readonly onJump: (conversationId: string) => void
}

const EventRow = memo(function EventRow({ row, here, selected, onSelect, onJump }: RowProps) {
  const { entry } = row
  return (
    <div
      id={`event-${row.key}`}
      className="event"
      role="option"
      aria-selected={selected}
      data-family={familyOf(entry.type)}
      data-here={here}
      onClick={() => onSelect(selected ? null : row.key)}
      onDoubleClick={() => onJump(entry.conversationId)}
    >
      <Time at={entry.at} />
      <span className="event-type">{entry.type}</span>
      <span className="event-words">{rowInWords(row)}</span>
      <span className="event-conversation">{entry.conversationId.slice(-6)}</span>
    </div>
  )
})
