import { useEffect, useRef, useState } from 'react'
import type { FormEvent } from 'react'
import { failureOf } from '#gateway/client/request-failed.ts'
import type { ClientError } from '#shared/contracts/client.ts'
import type { SearchResult } from '#shared/contracts/knowledge.ts'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { percentInWords } from './document-words.ts'
import { FoundRow } from './found-row.tsx'

/** What would be found for a question, and why: nothing is answered, and nothing is kept of it. */
export function SearchView({ api, collection }: { readonly api: Api; readonly collection: string }) {
  const [found, setFound] = useState<SearchResult | null>(null)
  const [error, setError] = useState<ClientError | null>(null)
  const asking = useRef<AbortController | null>(null)
  useEffect(() => () => asking.current?.abort(), [])

  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const said = new FormData(event.currentTarget).get('question')
    const question = typeof said === 'string' ? said.trim() : ''
    if (question === '') return
    asking.current?.abort()
    const { signal } = (asking.current = new AbortController())
    const json = { question, collections: [collection], explain: true }
    api<SearchResult>('search', { method: 'POST', json, signal }).then(
      (result) => {
        if (signal.aborted) return
        setError(null)
        setFound(result)
      },
      (thrown: unknown) => signal.aborted || setError(failureOf(thrown)),
    )
  }
  return (
    <>
      <form className="ask" role="search" onSubmit={submit}>
        <input
          className="field"
          name="question"
          maxLength={4_000}
          required
          aria-label="Question"
          placeholder="A question as a customer would ask it"
        />
        <button type="submit" className="button primary">
          Search
        </button>
      </form>
      <Refusal error={error} />
      {found === null ? null : <Found found={found} />}
    </>
  )
}

function Found({ found }: { readonly found: SearchResult }) {
  const { passages, coverage, covered, curated, expanded, total, ms } = found
  return (
    <div aria-live="polite">
      <p className="search-verdict" data-covered={covered}>
        <strong>{covered ? 'Covered' : 'Not covered'}</strong>
        <meter min={0} max={1} value={coverage} aria-label="Coverage" />
        <span>
          {percentInWords(coverage)} of the question ·{' '}
          {covered ? 'an agent would answer from these' : 'an agent would say that it is not in the documents'}
        </span>
      </p>
      <p className="faint">
        {total} {total === 1 ? 'passage' : 'passages'} searched in {ms.toFixed(0)} ms
        {expanded.length === 0 ? '' : ` · also looked for: ${expanded.map(termInWords).join(', ')}`}
      </p>
      {curated === null ? null : (
        <blockquote className="curated-found">
          <strong>A curated answer comes first: </strong>
          {curated.answer}
        </blockquote>
      )}
      {passages.length === 0 ? <p className="nothing">Nothing was found.</p> : null}
      <ol className="found">
        {passages.map((passage) => (
          <FoundRow key={passage.id} passage={passage} />
        ))}
      </ol>
    </div>
  )
}

/** Terms of the index say by a prefix how they were made: `s:` is a stem. */
function termInWords(term: string): string {
  return term.startsWith('s:') ? `${term.slice(2)}…` : term
}
