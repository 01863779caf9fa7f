import { useState } from 'react'
import type { FormEvent } from 'react'
import { failureOf } from '#gateway/client/request-failed.ts'
import type { ClientError } from '#shared/contracts/client.ts'
import type { Collection } from '#shared/contracts/knowledge.ts'
import type { Api } from '../api.ts'
import { Refusal } from '../parts/refusal.tsx'
import { knowledgeHash } from '../place.ts'
import type { KnowledgeView } from '../place.ts'
import { goTo } from '../place-store.ts'

const NAME_CHARS = 40

interface Props {
  readonly api: Api
  readonly collections: readonly Collection[]
  readonly current: string | null
  readonly view: KnowledgeView
  readonly onMade: () => void
}

export function CollectionList({ api, collections, current, view, onMade }: Props) {
  return (
    <nav className="collections" aria-label="Collections">
      <ul>
        {collections.map(({ id, title, documents }) => (
          <li key={id}>
            <a href={knowledgeHash(id, view)} aria-current={id === current ? 'page' : undefined}>
              <span>{title === '' ? id : title}</span>
              <span className="faint">{documents}</span>
            </a>
          </li>
        ))}
      </ul>
      <NewCollection api={api} taken={collections.map(({ id }) => id)} onMade={onMade} />
    </nav>
  )
}

function NewCollection({ api, taken, onMade }: Pick<Props, 'api' | 'onMade'> & { readonly taken: readonly string[] }) {
  const [title, setTitle] = useState('')
  const [error, setError] = useState<ClientError | null>(null)
  const name = nameOf(title)
  const problem =
    title === ''
      ? ''
      : name === ''
        ? 'A letter or a digit is needed.'
        : taken.includes(name)
          ? `“${name}” is there already.`
          : ''
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (name === '' || problem !== '') return
    setError(null)
    api(`collections/${name}`, { method: 'PUT', json: { title: title.trim() } }).then(
      () => {
        setTitle('')
        onMade()
        goTo(knowledgeHash(name))
      },
      (thrown: unknown) => setError(failureOf(thrown)),
    )
  }
  return (
    <form className="new-collection" onSubmit={submit}>
      <label>
        <span className="faint">New collection</span>
        <input
          className="field"
          value={title}
          maxLength={200}
          placeholder="Product manuals"
          onChange={(event) => setTitle(event.target.value)}
        />
      </label>
      <button type="submit" className="button small" disabled={name === '' || problem !== ''}>
        Make it
      </button>
      {problem === '' ? null : <p className="faint">{problem}</p>}
      <Refusal error={error} />
    </form>
  )
}

/** As it stands in addresses: plain letters, digits and single hyphens. */
function nameOf(title: string): string {
  return title
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, NAME_CHARS)
    .replaceAll(/^-|-$/g, '')
}
