import { useState } from 'react'
import type { FormEvent } from 'react'
import type { z } from 'zod'
import type { CuratedAnswer } from '#shared/contracts/knowledge.ts'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { useAsked } from '../use-asked.ts'
import { useAct } from './use-act.ts'

type Curated = z.infer<typeof CuratedAnswer>

interface Props {
  readonly api: Api
  readonly collection: string
}
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

/** Answers that people gave: said, where a question is near enough, without asking a model. */
export function AnswersView({ api, collection }: Props) {
  const { answer, error, again } = useAsked<{ answers: readonly Curated[] }>(api, `collections/${collection}/answers`)
  return (
    <>
      <Refusal error={error} />
      <NewAnswer api={api} collection={collection} onSaved={again} />
      {answer?.answers.length === 0 ? <p className="nothing">No answer has been written yet.</p> : null}
      <ul className="questions" aria-label="Curated answers">
        {answer?.answers.map((one) => (
          <AnswerRow
            key={`${one.id} ${one.updatedAt}`}
            api={api}
            collection={collection}
            curated={one}
            onChanged={again}
          />
        ))}
      </ul>
    </>
  )
}

function NewAnswer({ api, collection, onSaved }: Props & { readonly onSaved: () => void }) {
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const json = Object.fromEntries(new FormData(form))
    act(
      () => api(`collections/${collection}/answers`, { method: 'POST', json }),
      () => {
        form.reset()
        onSaved()
      },
    )
  }
  return (
    <details className="new-answer">
      <summary>Write an answer</summary>
      <form onSubmit={submit}>
        <input
          className="field"
          name="question"
          maxLength={4_000}
          required
          aria-label="Question"
          placeholder="Question"
        />
        <textarea
          className="field"
          name="answer"
          rows={3}
          maxLength={8_000}
          required
          aria-label="Answer"
          placeholder="Answer"
        />
        <button type="submit" className="button primary small" disabled={busy}>
          Save
        </button>
        <Refusal error={error} />
      </form>
    </details>
  )
}

interface RowProps extends Props {
  readonly curated: Curated
  readonly onChanged: () => void
}

function AnswerRow({ api, collection, curated, onChanged }: RowProps) {
  const { id, question, answer, hits, createdBy, updatedAt } = curated
  const [text, setText] = useState(answer)
  const { busy, error, act } = useAct()
  const save = (): Promise<unknown> =>
    api(`collections/${collection}/answers`, { method: 'POST', json: { question, answer: text.trim() } })
  const remove = (): Promise<unknown> =>
    api(`collections/${collection}/answers/${encodeURIComponent(id)}`, { method: 'DELETE' })
  return (
    <li className="question-row" aria-label={question}>
      <p>
        <strong>{question}</strong>
      </p>
      <p className="faint">
        said {hits === 1 ? 'once' : `${hits} times`} · by {createdBy} on {day.format(updatedAt)}
      </p>
      <textarea
        className="field"
        rows={2}
        maxLength={8_000}
        value={text}
        aria-label="Answer"
        onChange={(event) => setText(event.target.value)}
      />
      <p className="row-buttons">
        <button
          type="button"
          className="button small"
          disabled={busy || text.trim() === '' || text.trim() === answer}
          onClick={() => act(save, onChanged)}
        >
          Save
        </button>
        <button type="button" className="button quiet small" disabled={busy} onClick={() => act(remove, onChanged)}>
          Remove
        </button>
      </p>
      <Refusal error={error} />
    </li>
  )
}
