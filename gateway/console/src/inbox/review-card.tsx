import { useState } from 'react'
import type { Client } from '#gateway/client/client.ts'
import { failureOf } from '#gateway/client/request-failed.ts'
import type { Decision } from '#shared/contracts/review.ts'
import type { ReviewItem } from '#shared/contracts/event-map.ts'
import { ArgsForm } from './args-form.tsx'
import { fieldsOf, valuesOf } from './form-fields.ts'

interface Props {
  readonly item: ReviewItem
  readonly client: Client
  readonly onChanged: (item: ReviewItem) => void
}

/** One item: why it waits, what would be done, and the decision. It goes away when the desk says that it is decided. */
export function ReviewCard({ item, client, onChanged }: Props) {
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({})
  const [words, setWords] = useState('')
  const [curate, setCurate] = useState(false)
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const fields = fieldsOf(item.schema, item.proposal)
  const edited = fields.some(({ name, text }) => texts[name] !== undefined && texts[name] !== text)
  const isQuestion = item.kind === 'question'
  const canAnswer = isQuestion || item.kind === 'tool_call'
  const canCurate = isQuestion || (item.kind === 'draft_reply' && edited)
  const kept = canCurate && curate ? { curate } : {}

  const decide = (decision: () => Decision): void => {
    setBusy(true)
    setProblem('')
    const made = async (): Promise<ReviewItem> => await client.reviews.decide(item, decision())
    made().then(onChanged, (thrown: unknown) => {
      setProblem(thrown instanceof SyntaxError ? thrown.message : wordsOf(thrown))
      setBusy(false)
    })
  }
  const approve = (): Decision =>
    edited ? { action: 'edit', args: valuesOf(fields, texts), reason: words.trim(), ...kept } : { action: 'approve' }

  return (
    <article className="review" aria-label={item.title} data-kind={item.kind}>
      <header>
        <h3>{item.title}</h3>
        <p className="review-about">
          {item.agent} · {item.kind.replace('_', ' ')}
          {item.quorum > 1 ? ` · ${item.approvals.length} of ${item.quorum} approvals` : ''}
          {item.claimedBy === null ? '' : ` · with ${item.claimedBy}`}
        </p>
      </header>
      <p className="review-reason">{item.reason}</p>
      {item.evidence.length === 0 ? null : (
        <details>
          <summary>What led to it</summary>
          {item.evidence.map(({ kind, text }) => (
            <blockquote key={`${kind} ${text}`}>{text}</blockquote>
          ))}
        </details>
      )}
      {isQuestion ? null : (
        <ArgsForm
          id={item.id}
          fields={fields}
          texts={texts}
          fixed={item.schema === null}
          onText={(name, text) => setTexts({ ...texts, [name]: text })}
        />
      )}
      <label className="review-words">
        <span>{isQuestion ? 'Your answer' : 'Reason, or an answer in place of the tool'}</span>
        <textarea rows={2} value={words} onChange={(event) => setWords(event.target.value)} />
      </label>
      {canCurate ? (
        <label className="review-curate">
          <input type="checkbox" checked={curate} onChange={(event) => setCurate(event.target.checked)} />
          <span>Use this answer for the same question from now on</span>
        </label>
      ) : null}
      {problem === '' ? null : <p role="alert">{problem}</p>}
      <div className="review-buttons">
        {isQuestion ? null : (
          <button type="button" className="button primary small" disabled={busy} onClick={() => decide(approve)}>
            {edited ? 'Approve with changes' : 'Approve'}
          </button>
        )}
        {canAnswer ? (
          <button
            type="button"
            className={`button small${isQuestion ? ' primary' : ''}`}
            disabled={busy || words.trim() === ''}
            onClick={() => decide(() => ({ action: 'answer', text: words.trim(), ...kept }))}
          >
            Answer
          </button>
        ) : null}
        <button
          type="button"
          className="button stop small"
          disabled={busy || words.trim() === ''}
          title="Needs a reason: the agent reads it"
          onClick={() => decide(() => ({ action: 'reject', reason: words.trim() }))}
        >
          Reject
        </button>
      </div>
    </article>
  )
}

function wordsOf(thrown: unknown): string {
  const { message, details } = failureOf(thrown)
  const { by, fields } = details as { readonly by?: unknown; readonly fields?: readonly { problem: string }[] }
  if (typeof by === 'string') return `${message} It was ${by}.`
  return fields === undefined ? message : `${message} ${fields.map(({ problem }) => problem).join('; ')}.`
}
