import { useState } from 'react'
import type { z } from 'zod'
import type { UnansweredQuestion } from '#shared/contracts/knowledge.ts'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { useAsked } from '../use-asked.ts'
import { percentInWords } from './document-words.ts'
import { useAct } from './use-act.ts'

type Question = z.infer<typeof UnansweredQuestion>

interface Listed {
  readonly questions: readonly Question[]
  readonly next: string | null
}
const SHOWN = 100
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

/** What was asked and is not in the documents: to be answered by a person, by another document, or by nobody. */
export function UnansweredView({ api, collection }: { readonly api: Api; readonly collection: string }) {
  const { answer, error, again } = useAsked<Listed>(api, `collections/${collection}/unanswered?limit=${SHOWN}`)
  const open = answer?.questions.filter(({ state }) => state === 'open') ?? []
  return (
    <>
      <Refusal error={error} />
      {answer !== null && open.length === 0 ? (
        <p className="nothing">Every question so far was answered from the documents, or settled here.</p>
      ) : null}
      <ul className="questions" aria-label="Unanswered questions">
        {open.map((question) => (
          <UnansweredRow key={question.id} api={api} collection={collection} question={question} onSettled={again} />
        ))}
      </ul>
      {answer?.next == null ? null : <p className="faint">The latest {SHOWN} are shown.</p>}
    </>
  )
}

interface RowProps {
  readonly api: Api
  readonly collection: string
  readonly question: Question
  readonly onSettled: () => void
}

function UnansweredRow({ api, collection, question: asked, onSettled }: RowProps) {
  const { id, question, times, coverage, nearest, lastAt } = asked
  const [answer, setAnswer] = useState('')
  const { busy, error, act } = useAct()
  const save = (): Promise<unknown> =>
    api(`collections/${collection}/answers`, { method: 'POST', json: { question, answer: answer.trim() } })
  const dismiss = (): Promise<unknown> =>
    api(`collections/${collection}/unanswered/${encodeURIComponent(id)}/dismiss`, { method: 'POST' })
  return (
    <li className="question-row" aria-label={question}>
      <p>
        <strong>{question}</strong>
      </p>
      <p className="faint">
        asked {times === 1 ? 'once' : `${times} times`}, last on {day.format(lastAt)} · {percentInWords(coverage)}{' '}
        covered
        {nearest.length === 0 ? '' : ` · nearest: ${nearest.join(', ')}`}
      </p>
      <textarea
        className="field"
        rows={2}
        maxLength={8_000}
        value={answer}
        aria-label="Answer"
        placeholder="What is to be said from now on"
        onChange={(event) => setAnswer(event.target.value)}
      />
      <p className="row-buttons">
        <button
          type="button"
          className="button primary small"
          disabled={busy || answer.trim() === ''}
          onClick={() => act(save, onSettled)}
        >
          Answer
        </button>
        <button type="button" className="button small" disabled={busy} onClick={() => act(dismiss, onSettled)}>
          Dismiss
        </button>
      </p>
      <Refusal error={error} />
    </li>
  )
}
