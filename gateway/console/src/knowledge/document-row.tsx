import { useState } from 'react'
import type { DocumentSummary } from '#shared/contracts/knowledge.ts'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { failureInWords, isOpen, sizeInWords, stateInWords } from './document-words.ts'
import { useAct } from './use-act.ts'

interface Props {
  readonly api: Api
  readonly document: DocumentSummary
  readonly onChanged: () => void
}

const DOTS = { ready: 'running', failed: 'crashed', cancelled: 'ended', queued: 'asleep' } as const

/** One document: how far it is, what went wrong, and what can be done about it. */
export function DocumentRow({ api, document, onChanged }: Props) {
  const { id, title, source, state, version, liveVersion, error } = document
  const name = title !== '' ? title : source.kind === 'url' ? source.url : source.name
  return (
    <li className="document" aria-label={name} data-state={state}>
      <span className="dot" data-state={DOTS[state as keyof typeof DOTS] ?? 'waiting'} />
      <div className="document-about">
        <p className="document-title">{name}</p>
        <p className="faint">
          {source.kind === 'url' ? source.url : source.name}
          {document.tags.map((tag) => ` #${tag}`)}
          {document.access.length > 0 ? ' · not for everybody' : ''}
        </p>
        {error === null || state === 'ready' ? null : <p className="field-error">{failureInWords(error)}</p>}
        {liveVersion !== null && liveVersion !== version ? (
          <p className="faint">
            Version {liveVersion} is found until version {version} is ready.
          </p>
        ) : null}
      </div>
      <DocumentProgress document={document} />
      <DocumentActions key={`${id} ${version}`} api={api} document={document} name={name} onChanged={onChanged} />
    </li>
  )
}

function DocumentProgress({ document }: { readonly document: DocumentSummary }) {
  const { state, pagesDone, pagesTotal } = document
  const paged = isOpen(document) && pagesDone > 0
  return (
    <div className="document-progress">
      <p>{stateInWords(state)}</p>
      {paged ? (
        <>
          {pagesTotal === null ? null : <progress aria-label="Pages read" max={pagesTotal} value={pagesDone} />}
          <p className="faint">
            page {pagesDone}
            {pagesTotal === null ? '' : ` of ${pagesTotal}`}
          </p>
        </>
      ) : (
        <p className="faint">{sizeInWords(document)}</p>
      )}
    </div>
  )
}

interface ActionProps extends Props {
  readonly name: string
}

function DocumentActions({ api, document, name, onChanged }: ActionProps) {
  const [sure, setSure] = useState(false)
  const { busy, error, act: doing } = useAct()
  const act = (method: 'POST' | 'DELETE', verb: '' | '/cancel' | '/retry'): void =>
    doing(() => api(`documents/${encodeURIComponent(document.id)}${verb}`, { method }), onChanged)
  const stopped = document.state === 'failed' || document.state === 'cancelled'
  return (
    <div className="document-actions">
      {isOpen(document) ? (
        <button type="button" className="button small" disabled={busy} onClick={() => act('POST', '/cancel')}>
          Cancel
        </button>
      ) : null}
      {stopped ? (
        <button type="button" className="button small" disabled={busy} onClick={() => act('POST', '/retry')}>
          Try again
        </button>
      ) : null}
      {sure ? (
        <>
          <button type="button" className="button stop small" disabled={busy} onClick={() => act('DELETE', '')}>
            Remove for good
          </button>
          <button type="button" className="button quiet small" onClick={() => setSure(false)}>
            Keep
          </button>
        </>
      ) : (
        <button
          type="button"
          className="button quiet small"
          aria-label={`Remove ${name}`}
          onClick={() => setSure(true)}
        >
          Remove
        </button>
      )}
      <Refusal error={error} />
    </div>
  )
}
