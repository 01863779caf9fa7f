import { Icon } from '../parts/icon.tsx'
import { FAMILIES } from './event-filter.ts'
import type { Family } from './event-filter.ts'

interface Props {
  readonly families: ReadonlySet<Family>
  readonly onFamilies: (families: ReadonlySet<Family>) => void
  readonly text: string
  readonly onText: (text: string) => void
  readonly onlyThis: boolean
  readonly canOnlyThis: boolean
  readonly onOnlyThis: (only: boolean) => void
  readonly paused: boolean
  /** Events that came since the pause. */
  readonly behind: number
  readonly onPause: () => void
}

export function EventControls(props: Props) {
  const { families, onFamilies, text, onText, onlyThis, canOnlyThis, onOnlyThis, paused, behind, onPause } = props
  const toggle = (family: Family): void => {
    const next = new Set(families)
    if (!next.delete(family)) next.add(family)
    onFamilies(next)
  }
  return (
    <div className="event-controls">
      <div className="section-head">
        <h2>Events</h2>
        <div className="search">
          <Icon name="search" size={14} />
          <label className="hidden" htmlFor="event-filter">
            Filter events
          </label>
          <input
            id="event-filter"
            type="search"
            value={text}
            placeholder="Filter"
            spellCheck={false}
            onChange={(event) => onText(event.target.value)}
          />
        </div>
        <button type="button" className="button small" aria-pressed={paused} onClick={onPause}>
          <Icon name={paused ? 'play' : 'pause'} size={14} />
          {paused ? `Go on${behind > 0 ? ` (${behind} new)` : ''}` : 'Pause'}
        </button>
      </div>
      <div className="chips" role="group" aria-label="Kinds of events">
        {(Object.keys(FAMILIES) as Family[]).map((family) => (
          <button
            key={family}
            type="button"
            className="chip"
            aria-pressed={families.has(family)}
            onClick={() => toggle(family)}
          >
            {family}
          </button>
        ))}
        <button
          type="button"
          className="chip chip-this"
          aria-pressed={onlyThis}
          disabled={!canOnlyThis}
          onClick={() => onOnlyThis(!onlyThis)}
        >
          this conversation
        </button>
      </div>
    </div>
  )
}
