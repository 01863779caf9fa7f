import type { ClientError } from '#shared/contracts/client.ts'
import { Icon } from '../parts/icon.tsx'
import { refusalInWords } from '../parts/refusal.tsx'
import { bytesInWords } from './document-words.ts'

export interface Sent {
  readonly id: number
  readonly name: string
  readonly bytes: number
  readonly received: number
  readonly problem: ClientError | null
  /** Of what came to its end otherwise than asked. */
  readonly note: string
}

interface Props {
  readonly sent: readonly Sent[]
  readonly onForget: (id: number) => void
}

/** Files on their way; one that has arrived is a document of the list. */
export function SentFiles({ sent, onForget }: Props) {
  if (sent.length === 0) return null
  return (
    <ul className="sent" aria-label="Files on their way">
      {sent.map(({ id, name, bytes, received, problem, note }) => (
        <li key={id}>
          <strong>{name}</strong>
          {problem !== null ? (
            <span className="field-error" role="alert">
              {refusalInWords(problem)}
            </span>
          ) : note !== '' ? (
            <span className="faint">{note}</span>
          ) : (
            <>
              <progress aria-label={`Sending ${name}`} max={bytes} {...(received === 0 ? {} : { value: received })} />
              <span className="faint">{bytesInWords(bytes)}</span>
            </>
          )}
          {problem === null && note === '' ? null : (
            <button
              type="button"
              className="icon-button small"
              aria-label={`Dismiss ${name}`}
              onClick={() => onForget(id)}
            >
              <Icon name="close" size={12} />
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}
