import type { FormEvent } from 'react'
import type { z } from 'zod'
import type { CuratedAnswer } from '#shared/contracts/knowledge.ts'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { useAsked } from '../use-asked.ts'
import { QuestionRow } from './question-row.tsx'
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
          <QuestionRow
            key={`${one.id} ${one.updatedAt}`}
            api={api}
            collection={collection}
            question={one.question}
            answer={one.answer}
            about={aboutOf(one)}
            save="Save"
            drop={{ label: 'Remove', method: 'DELETE', path: `answers/${encodeURIComponent(one.id)}` }}
            onChanged={again}
          />
        ))}
      </ul>
    </>
  )
}

function aboutOf({ hits, createdBy, updatedAt }: Curated): string {
  return `said ${hits === 1 ? 'once' : `${hits} times`} · by ${createdBy} on ${day.format(updatedAt)}`
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
