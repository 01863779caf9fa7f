import { useRef, useState } from 'react'
import type { DragEvent, FormEvent, ReactNode } from 'react'
import { failureOf } from '#gateway/client/request-failed.ts'
import type { ClientError } from '#shared/contracts/client.ts'
import type { Api } from '../api.ts'
import { Icon } from '../parts/icon.tsx'
import { Refusal } from '../parts/refusal.tsx'
import type { Sent } from './sent-files.tsx'
import { SentFiles } from './sent-files.tsx'
import { sendFile } from './send-file.ts'

const DAY_MS = 86_400_000
const RECRAWLS = [
  { label: 'once', ms: '' },
  { label: 'every day', ms: String(DAY_MS) },
  { label: 'every week', ms: String(7 * DAY_MS) },
] as const

interface Props {
  readonly api: Api
  readonly collection: string
  readonly onAdded: () => void
  readonly children: ReactNode
}

/** Files by a button or dropped anywhere on the list, and addresses. */
export function AddDocuments({ api, collection, onAdded, children }: Props) {
  const [over, setOver] = useState(false)
  const [sent, setSent] = useState<readonly Sent[]>([])
  const serial = useRef(0)
  const input = useRef<HTMLInputElement>(null)

  const change = (id: number, part: Partial<Sent> | null): void =>
    setSent((last) => last.flatMap((one) => (one.id !== id ? [one] : part === null ? [] : [{ ...one, ...part }])))
  const send = async (files: readonly File[]): Promise<void> => {
    const given = files.map((file) => ({ file, id: ++serial.current }))
    setSent((last) => [
      ...last,
      ...given.map(({ file, id }) => ({ id, name: file.name, bytes: file.size, received: 0, problem: null, note: '' })),
    ])
    // One after another: what is sent first can be found first.
    for (const { file, id } of given) {
      try {
        const receipt = await sendFile(api, collection, file, (received) => change(id, { received }))
        change(id, receipt.duplicate ? { note: 'is there already, word for word' } : null)
        onAdded()
      } catch (thrown) {
        change(id, { problem: failureOf(thrown) })
      }
    }
  }
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    void send([...event.dataTransfer.files])
  }
  return (
    <div
      className="drop"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false)
      }}
      onDrop={drop}
    >
      <div className="add">
        <button type="button" className="button primary" onClick={() => input.current?.click()}>
          <Icon name="plus" />
          Add files
        </button>
        <input
          ref={input}
          className="hidden"
          type="file"
          multiple
          tabIndex={-1}
          aria-label="Files to add"
          onChange={(event) => {
            void send([...(event.target.files ?? [])])
            event.target.value = ''
          }}
        />
        <span className="faint add-hint">or drop them here</span>
        <AddAddress key={collection} api={api} collection={collection} onAdded={onAdded} />
      </div>
      <SentFiles sent={sent} onForget={(id) => change(id, null)} />
      {children}
    </div>
  )
}

function AddAddress({ api, collection, onAdded }: Omit<Props, 'children'>) {
  const [error, setError] = useState<ClientError | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const fields = new FormData(form)
    const recrawl = fields.get('recrawl')
    const json = { collection, url: fields.get('url'), recrawlMs: recrawl === '' ? null : Number(recrawl) }
    setError(null)
    api('ingest/url', { method: 'POST', json }).then(
      () => {
        form.reset()
        onAdded()
      },
      (thrown: unknown) => setError(failureOf(thrown)),
    )
  }
  return (
    <form className="add-address" onSubmit={submit}>
      <input
        className="field"
        name="url"
        type="url"
        required
        placeholder="https://…"
        aria-label="Address of a page or file"
      />
      <select className="field" name="recrawl" aria-label="How often it is read">
        {RECRAWLS.map(({ label, ms }) => (
          <option key={label} value={ms}>
            {label}
          </option>
        ))}
      </select>
      <button type="submit" className="button">
        Add address
      </button>
      <Refusal error={error} />
    </form>
  )
}
