import { useEffect, useMemo, useRef } from 'react'
import type { ClientError } from '#shared/contracts/client.ts'
import type { PassageView } from '#shared/contracts/knowledge.ts'
import { apiOf } from '../rest.ts'
import type { PassagePlace } from '../place.ts'
import { Icon } from '../parts/icon.tsx'
import { showChat } from '../session-store.ts'
import { useAsked } from '../use-asked.ts'
import { useVisit } from '../use-visit.ts'
import { PagePlan } from './page-plan.tsx'

/** What a citation points at: the quoted words in their surroundings, and where they stand on the page. */
export function PassagePage({ token, at }: { readonly token: string; readonly at: PassagePlace }) {
  const { documentId, version, start, end } = at
  const api = useMemo(() => apiOf(token), [token])
  const path = `documents/${encodeURIComponent(documentId)}/versions/${version}/passage?start=${start}&end=${end}`
  const { answer, error, again } = useAsked<PassageView>(api, path)
  const heading = useVisit()
  return (
    <main className="page passage-page" aria-labelledby="passage-title" aria-busy={answer === null && error === null}>
      <div className="page-column">
        <p className="page-way">
          <button type="button" className="button quiet small" onClick={showChat}>
            <Icon name="back" />
            Back to the chat
          </button>
        </p>
        <h2 id="passage-title" ref={heading} tabIndex={-1}>
          {answer === null ? 'Passage' : answer.title === '' ? 'Untitled document' : answer.title}
        </h2>
        {answer === null ? null : <Passage passage={answer} />}
        {error === null ? null : <Problem error={error} onAgain={again} />}
        {answer === null && error === null ? <p className="nothing">Opening the document …</p> : null}
      </div>
    </main>
  )
}

function Passage({
  passage: { before, text, after, page, version, sheets, boxes },
}: {
  readonly passage: PassageView
}) {
  const mark = useRef<HTMLElement>(null)
  useEffect(() => {
    mark.current?.scrollIntoView({ block: 'center' })
  }, [text, before])
  return (
    <>
      <p className="page-about">
        {sheets.length > 0 || page > 1 ? `Page ${page} · ` : ''}version {version}
      </p>
      <div className="passage-body" data-plan={sheets.length > 0}>
        <p className="passage-text" tabIndex={0} role="region" aria-label="The passage in its surroundings">
          {before === '' ? null : <span className="passage-around">{beginsInside(before)}</span>}
          <mark ref={mark}>{text}</mark>
          {after === '' ? null : <span className="passage-around">{endsInside(after)}</span>}
        </p>
        {sheets.length === 0 ? null : (
          <div className="page-plans">
            {sheets.map((sheet) => (
              <PagePlan key={sheet.page} sheet={sheet} boxes={boxes.filter((box) => box.page === sheet.page)} />
            ))}
          </div>
        )}
      </div>
    </>
  )
}

function Problem({ error, onAgain }: { readonly error: ClientError; readonly onAgain: () => void }) {
  return (
    <div className="empty" role="alert">
      <Icon name="warning" size={24} />
      <p>{problemInWords(error)}</p>
      {error.code === 'NOT_FOUND' || error.code === 'BAD_INPUT' ? null : (
        <button type="button" className="button" onClick={onAgain}>
          Try again
        </button>
      )}
      <code>{error.code}</code>
    </div>
  )
}

function problemInWords({ code, message, action }: ClientError): string {
  switch (code) {
    case 'NOT_FOUND':
      return 'This passage is not there any more: its document was removed or replaced, or it is not open to you.'
    case 'BAD_INPUT':
      return 'This link is damaged: it names no passage of a document.'
    default:
      return `${message} ${action}`
  }
}

/** Cut text begins and ends with a whole word. */
function beginsInside(text: string): string {
  const cut = text.search(/\s/)
  return cut < 0 || text.length < AROUND_CHARS ? text : `…${text.slice(cut)}`
}

function endsInside(text: string): string {
  const cut = text.search(/\s\S*$/)
  return cut < 0 || text.length < AROUND_CHARS ? text : `${text.slice(0, cut)} …`
}

/** As much as the gateway gives on either side; less is the beginning or the end of the document. */
const AROUND_CHARS = 600
