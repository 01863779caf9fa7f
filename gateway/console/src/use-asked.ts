import { useCallback, useEffect, useState } from 'react'
import { failureOf } from '#gateway/client/request-failed.ts'
import type { ClientError } from '#shared/contracts/client.ts'
import type { Api } from './api.ts'

export interface Asked<Answer> {
  /** The last answer, also while it is asked again. */
  readonly answer: Answer | null
  readonly error: ClientError | null
  readonly again: () => void
}

/** What a path gives; null: nothing is asked. An answer to what is not asked any more is dropped. */
export function useAsked<Answer>(api: Api, path: string | null): Asked<Answer> {
  const [state, setState] = useState<{ path: string | null; answer: Answer | null; error: ClientError | null }>({
    path,
    answer: null,
    error: null,
  })
  const [round, setRound] = useState(0)
  useEffect(() => {
    if (path === null) return undefined
    const gone = new AbortController()
    api<Answer>(path, { signal: gone.signal }).then(
      (answer) => gone.signal.aborted || setState({ path, answer, error: null }),
      (thrown: unknown) =>
        gone.signal.aborted ||
        setState((last) => ({ path, answer: last.path === path ? last.answer : null, error: failureOf(thrown) })),
    )
    return () => gone.abort()
  }, [api, path, round])
  const again = useCallback(() => setRound((last) => last + 1), [])
  const current = state.path === path
  return { answer: current ? state.answer : null, error: current ? state.error : null, again }
}
