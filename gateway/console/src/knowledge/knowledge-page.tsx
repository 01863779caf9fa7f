import { useMemo } from 'react'
import type { Collection } from '#shared/contracts/knowledge.ts'
import type { Swarm } from '#gateway/client/swarm.ts'
import { apiOf } from '../rest.ts'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { KNOWLEDGE_VIEWS, knowledgeHash } from '../place.ts'
import type { KnowledgeView } from '../place.ts'
import { useAsked } from '../use-asked.ts'
import { useVisit } from '../use-visit.ts'
import { AnswersView } from './answers-view.tsx'
import { CollectionList } from './collection-list.tsx'
import { bytesInWords } from './document-words.ts'
import { DocumentsView } from './documents-view.tsx'
import { SearchView } from './search-view.tsx'
import { UnansweredView } from './unanswered-view.tsx'

const TITLES = {
  documents: 'Documents',
  search: 'Try a question',
  unanswered: 'Unanswered',
  answers: 'Curated answers',
} as const satisfies Record<KnowledgeView, string>

interface Props {
  readonly token: string
  readonly swarm: Swarm
  /** Null: the first one. */
  readonly collection: string | null
  readonly view: KnowledgeView
}

/** What the agents answer from, for operators: collections, what is in them, and how well they answer. */
export function KnowledgePage({ token, swarm, collection, view }: Props) {
  const api = useMemo(() => apiOf(token), [token])
  const { answer, error, again } = useAsked<{ collections: readonly Collection[] }>(api, 'collections')
  const heading = useVisit()
  const collections = answer?.collections ?? []
  const current = collection === null ? collections[0] : collections.find(({ id }) => id === collection)
  return (
    <main className="page knowledge-page" aria-labelledby="knowledge-title">
      <div className="knowledge">
        <div>
          <h2 id="knowledge-title" ref={heading} tabIndex={-1}>
            Knowledge
          </h2>
          <CollectionList
            api={api}
            collections={collections}
            current={current?.id ?? null}
            view={view}
            onMade={again}
          />
        </div>
        <section className="collection" aria-label={current?.title ?? 'Collection'}>
          <Refusal error={error} />
          {current !== undefined ? (
            <CollectionView key={current.id} {...{ api, swarm, view }} collection={current} onChanged={again} />
          ) : answer === null ? null : (
            <div className="empty">
              <h2>{collections.length === 0 ? 'There is no collection yet' : 'There is no such collection'}</h2>
              <p>Agents answer from documents in collections. Make one, then add files to it.</p>
            </div>
          )}
        </section>
      </div>
    </main>
  )
}

interface CollectionProps {
  readonly api: Api
  readonly swarm: Swarm
  readonly collection: Collection
  readonly view: KnowledgeView
  readonly onChanged: () => void
}

function CollectionView({ api, swarm, collection, view, onChanged }: CollectionProps) {
  const { id, title, description, documents, chunks, bytes } = collection
  return (
    <>
      <header className="collection-head">
        <h3>{title === '' ? id : title}</h3>
        <p className="faint">
          {documents} {documents === 1 ? 'document' : 'documents'} · {chunks} {chunks === 1 ? 'passage' : 'passages'} ·{' '}
          {bytesInWords(bytes)} · <code>{id}</code>
        </p>
        {description === '' ? null : <p>{description}</p>}
      </header>
      <nav className="views" aria-label="Views of the collection">
        {KNOWLEDGE_VIEWS.map((one) => (
          <a key={one} href={knowledgeHash(id, one)} aria-current={one === view ? 'page' : undefined}>
            {TITLES[one]}
          </a>
        ))}
      </nav>
      {view === 'documents' ? (
        <DocumentsView api={api} swarm={swarm} collection={id} onChanged={onChanged} />
      ) : view === 'search' ? (
        <SearchView api={api} collection={id} />
      ) : view === 'unanswered' ? (
        <UnansweredView api={api} collection={id} />
      ) : (
        <AnswersView api={api} collection={id} />
      )}
    </>
  )
}
