import { memo } from 'react'
import type { ActorView } from '#gateway/client/conversation-state.ts'
import { Cell } from '../parts/cell.tsx'

const SHOWN = 200
/** A mailbox this deep fills its bar; the bar grows with the root, so that the first few are seen. */
const FULL_MAILBOX = 64

export const ActorTable = memo(function ActorTable({ actors }: { readonly actors: readonly ActorView[] }) {
  return (
    <div className="actor-scroll" tabIndex={0} role="region" aria-label="Actors">
      <table className="actor-table">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Key</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Mailbox
            </th>
          </tr>
        </thead>
        <tbody>
          {actors.slice(0, SHOWN).map((actor) => (
            <ActorRow key={`${actor.kind}/${actor.key}`} actor={actor} />
          ))}
        </tbody>
      </table>
      {actors.length > SHOWN ? <p className="nothing">and {actors.length - SHOWN} more</p> : null}
    </div>
  )
})

const ActorRow = memo(function ActorRow({ actor }: { readonly actor: ActorView }) {
  const share = Math.sqrt(Math.min(1, actor.mailbox / FULL_MAILBOX))
  return (
    <tr data-state={actor.state}>
      <td>
        <Cell kind={actor.kind} size={12} />
        {actor.kind}
      </td>
      <td className="key" title={`${actor.key} on ${actor.node}`}>
        <code>{shortKey(actor.key)}</code>
      </td>
      <td title={actor.reason}>
        <span className="dot" data-state={actor.state} aria-hidden="true" />
        {actor.state}
      </td>
      <td className="number">
        {share === 0 ? null : (
          <span className="depth" aria-hidden="true">
            <span style={{ transform: `scaleX(${share})` }} />
          </span>
        )}
        {actor.mailbox}
      </td>
    </tr>
  )
})

/** Ids are long and alike at their beginning: their end tells them apart. */
function shortKey(key: string): string {
  return key
    .split('--')
    .map((part) => (part.length > 20 ? `…${part.slice(-8)}` : part))
    .join(' · ')
}
