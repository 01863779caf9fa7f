import { useState } from 'react'
import type { ReactNode } from 'react'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { useAct } from './use-act.ts'

interface Props {
  readonly api: Api
  readonly collection: string
  readonly question: string
  /** What is said to it now; '' where nothing is. */
  readonly answer: string
  readonly about: ReactNode
  /** What the two buttons say: one keeps the answer as it stands in the form, the other sends DELETE or POST to `drop`. */
  readonly save: string
  readonly drop: { readonly label: string; readonly method: 'DELETE' | 'POST'; readonly path: string }
  readonly onChanged: () => void
}

/** A question with the answer that a person gives to it. Where there is none yet, giving one is what is mostly wanted. */
export function QuestionRow({ api, collection, question, answer, about, save, drop, onChanged }: Props) {
  const [text, setText] = useState(answer)
  const { busy, error, act } = useAct()
  const isNew = answer === ''
  const keep = (): Promise<unknown> =>
    api(`collections/${collection}/answers`, { method: 'POST', json: { question, answer: text.trim() } })
  const remove = (): Promise<unknown> => api(`collections/${collection}/${drop.path}`, { method: drop.method })
  return (
    <li className="question-row" aria-label={question}>
      <p>
        <strong>{question}</strong>
      </p>
      <p className="faint">{about}</p>
      <textarea
        className="field"
        rows={2}
        maxLength={8_000}
        value={text}
        aria-label="Answer"
        placeholder="What is to be said from now on"
        onChange={(event) => setText(event.target.value)}
      />
      <p className="row-buttons">
        <button
          type="button"
          className={`button small${isNew ? ' primary' : ''}`}
          disabled={busy || text.trim() === '' || text.trim() === answer}
          onClick={() => act(keep, onChanged)}
        >
          {save}
        </button>
        <button
          type="button"
          className={`button small${isNew ? '' : ' quiet'}`}
          disabled={busy}
          onClick={() => act(remove, onChanged)}
        >
          {drop.label}
        </button>
      </p>
      <Refusal error={error} />
    </li>
  )
}
