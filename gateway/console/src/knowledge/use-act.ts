import { useState } from 'react'
import { failureOf } from '#gateway/client/request-failed.ts'
import type { ClientError } from '#shared/contracts/client.ts'

export interface Act {
  readonly busy: boolean
  readonly error: ClientError | null
  /** One at a time; `then` is called when it has been done. */
  readonly act: (work: () => Promise<unknown>, then: () => void) => void
}

/** Something that a button does, which may be refused. */
export function useAct(): Act {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ClientError | null>(null)
  const act: Act['act'] = (work, then) => {
    if (busy) return
    setBusy(true)
    setError(null)
    work().then(
      () => {
        setBusy(false)
        then()
      },
      (thrown: unknown) => {
        setBusy(false)
        setError(failureOf(thrown))
      },
    )
  }
  return { busy, error, act }
}
