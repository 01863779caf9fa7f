import type { Client } from '#gateway/client/client.ts'
import type { Status } from '#gateway/client/link.ts'
import { useSelected } from '../use-store.ts'

const WORDS = {
  connecting: 'Connecting',
  'catching-up': 'Catching up',
  live: 'Live',
  offline: 'Offline',
} as const satisfies Record<Status, string>

export function ConnectionPill({ connection }: { readonly connection: Client['connection'] }) {
  const status = useSelected(connection, (state) => state.status)
  return (
    <span className="pill" data-status={status}>
      <span className="dot" aria-hidden="true" />
      {WORDS[status]}
    </span>
  )
}
