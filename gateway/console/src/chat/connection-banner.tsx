import { useEffect, useState } from 'react'
import type { Client } from '#gateway/client/client.ts'
import { msInWords } from '#gateway/client/words.ts'
import { Icon } from '../parts/icon.tsx'
import { useStore } from '../use-store.ts'

const CAUGHT_UP_SHOWN_MS = 6000

/** Says that the connection is gone, and, once it is back, that nothing was missed. */
export function ConnectionBanner({ client }: { readonly client: Client }) {
  const { status, attempt, error, recovered } = useStore(client.connection)
  const caughtUp = useShownFor(status === 'live' ? (recovered?.at ?? null) : null, CAUGHT_UP_SHOWN_MS)
  return (
    <div className="banner-place" role="status">
      {status === 'offline' ? (
        <p className="banner" data-tone="offline">
          <Icon name="warning" />
          <span>
            {attempt > 1 ? `No connection, ${attempt} tries. ` : 'The connection is gone. '}
            What you write is kept and sent when it is back.
            {error !== null && error.code !== 'UNREACHABLE' ? ` (${error.message})` : ''}
          </span>
          <button type="button" className="link" onClick={client.reconnect}>
            Try now
          </button>
        </p>
      ) : null}
      {status === 'catching-up' && recovered !== null ? <p className="banner">Catching up…</p> : null}
      {caughtUp && recovered !== null ? (
        <p className="banner" data-tone="good">
          Caught up after {msInWords(recovered.offlineMs)} without a connection
          {recovered.entries === 0
            ? ''
            : `: ${recovered.entries === 1 ? '1 event' : `${recovered.entries} events`} came`}
          .
        </p>
      ) : null}
    </div>
  )
}

/** True for a while after each new `at`. */
function useShownFor(at: number | null, ms: number): boolean {
  const [over, setOver] = useState<number | null>(null)
  useEffect(() => {
    if (at === null) return undefined
    const timer = setTimeout(() => setOver(at), ms)
    return () => clearTimeout(timer)
  }, [at, ms])
  return at !== null && over !== at
}
