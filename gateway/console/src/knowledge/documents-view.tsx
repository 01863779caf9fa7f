import { useEffect, useRef, useState } from 'react'
import type { Swarm } from '#gateway/client/swarm.ts'
import type { Api } from '../api.ts'
import { onFrame } from '../frame.ts'
import { Refusal } from '../parts/refusal.tsx'
import { useStore } from '../use-store.ts'
import { AddDocuments } from './add-documents.tsx'
import { DocumentList } from './document-list.ts'
import { DocumentRow } from './document-row.tsx'
import { isOpen } from './document-words.ts'

interface Props {
  readonly api: Api
  readonly swarm: Swarm
  readonly collection: string
  /** Something came, or went. */
  readonly onChanged: () => void
}

export function DocumentsView({ api, swarm, collection, onChanged }: Props) {
  const [list, setList] = useState<DocumentList | null>(null)
  useEffect(() => {
    const made = new DocumentList(api, swarm, collection, onFrame)
    setList(made)
    return made.close
  }, [api, swarm, collection])
  const changed = (): void => {
    list?.look()
    onChanged()
  }
  return (
    <AddDocuments api={api} collection={collection} onAdded={changed}>
      {list === null ? null : <Documents api={api} list={list} onChanged={changed} onSettled={onChanged} />}
    </AddDocuments>
  )
}

interface DocumentsProps {
  readonly api: Api
  readonly list: DocumentList
  readonly onChanged: () => void
  readonly onSettled: () => void
}

function Documents({ api, list, onChanged, onSettled }: DocumentsProps) {
  const { documents, more, error } = useStore(list)
  const settled = documents?.filter((document) => !isOpen(document)).length ?? null
  const counted = useRef(settled)
  useEffect(() => {
    // What has just become ready counts in the collection too.
    if (counted.current !== null && counted.current !== settled) onSettled()
    counted.current = settled
  }, [settled, onSettled])
  return (
    <>
      <Refusal error={error} />
      {documents === null ? (
        error === null ? (
          <p className="nothing">Looking …</p>
        ) : null
      ) : documents.length === 0 ? (
        <p className="nothing">
          Nothing is in here yet. PDF, Word, PowerPoint, Excel, web pages, Markdown, text, CSV, e-mail and pictures can
          be read.
        </p>
      ) : (
        <ul className="documents" aria-label="Documents">
          {documents.map((document) => (
            <DocumentRow key={document.id} api={api} document={document} onChanged={onChanged} />
          ))}
        </ul>
      )}
      {more ? (
        <button type="button" className="button small" onClick={list.showMore}>
          Show more
        </button>
      ) : null}
    </>
  )
}
