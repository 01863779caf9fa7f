import { memo } from 'react'
import type { ActorView } from '#gateway/client/conversation-state.ts'

const CELL_PX = 22
const COLUMNS = 20
const MAX_CELLS = COLUMNS * 3
const ROW_PX = CELL_PX * 0.78

/** The swarm at a glance: a cell per actor, filled while it works. The table below says the same in words. */
export const Comb = memo(function Comb({ actors }: { readonly actors: readonly ActorView[] }) {
  const shown = actors.slice(0, MAX_CELLS)
  const rows = Math.ceil(shown.length / COLUMNS)
  const width = COLUMNS * CELL_PX + CELL_PX / 2
  const height = (rows - 1) * ROW_PX + CELL_PX
  return (
    <svg
      className="comb"
      viewBox={`0 0 ${width} ${height}`}
      style={{ maxHeight: height, aspectRatio: width / height }}
      preserveAspectRatio="xMinYMin"
      aria-hidden="true"
    >
      {shown.map((actor, index) => {
        const row = Math.floor(index / COLUMNS)
        const x = (index % COLUMNS) * CELL_PX + (row % 2 === 1 ? CELL_PX / 2 : 0)
        return (
          <g key={`${actor.kind}/${actor.key}`} transform={`translate(${x} ${row * ROW_PX})`}>
            <path
              className="comb-cell"
              data-kind={actor.kind}
              data-state={actor.state}
              d="M11 1.4 19.3 6.2v9.6L11 20.6 2.7 15.8V6.2z"
            />
            <title>{`${actor.kind} ${actor.key}: ${actor.state}`}</title>
          </g>
        )
      })}
    </svg>
  )
})
