import type { z } from 'zod'
import type { UnansweredQuestion } from '#shared/contracts/knowledge.ts'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { useAsked } from '../use-asked.ts'
import { percentInWords } from './document-words.ts'
import { QuestionRow } from './question-row.tsx'

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
          <QuestionRow
            key={question.id}
            api={api}
            collection={collection}
            question={question.question}
            answer=""
            about={aboutOf(question)}
            save="Answer"
            drop={{
              label: 'Dismiss',
              method: 'POST',
              path: `unanswered/${encodeURIComponent(question.id)}/dismiss`,
            }}
            onChanged={again}
          />
        ))}
      </ul>
      {answer?.next == null ? null : <p className="faint">The latest {SHOWN} are shown.</p>}
    </>
  )
}

function aboutOf({ times, lastAt, coverage, nearest }: Question): string {
  const titles = nearest.length === 0 ? '' : ` · nearest: ${nearest.join(', ')}`
  const asked = `asked ${times === 1 ? 'once' : `${times} times`}, last on ${day.format(lastAt)}`
  return `${asked} · ${percentInWords(coverage)} covered${titles}`
}
