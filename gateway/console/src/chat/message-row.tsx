import { memo } from 'react'
import type { MessageView, TurnView } from '#gateway/client/conversation-state.ts'
import { placeInWords, valueInWords } from '#gateway/client/words.ts'
import { Cell } from '../parts/cell.tsx'
import { RichText } from './rich-text.tsx'
import { TurnEnd, TurnTrail } from './turn-trail.tsx'

interface Props {
  readonly message: MessageView
  /** Of an answer: the turn that made it. */
  readonly turn: TurnView | undefined
  readonly me: string
}

const KINDS = { user: 'person', operator: 'person', assistant: 'agent', system: 'system' } as const

export const MessageRow = memo(function MessageRow({ message, turn, me }: Props) {
  if (message.role === 'user') return <Question message={message} me={me} />
  return (
    <article className="message answer" data-status={message.status} aria-label={`Answer of ${message.title}`}>
      <Cell kind={KINDS[message.role]} letter={initial(message.title)} size={30} />
      <div className="answer-body">
        <p className="author">
          <strong>{message.title === '' ? '…' : message.title}</strong>
          <Time at={message.at} />
          {message.status === 'streaming' ? <span className="speaking">speaking</span> : null}
        </p>
        {turn === undefined ? null : <TurnTrail turn={turn} speaks={message.text !== '' || message.tail !== null} />}
        <AnswerText message={message} />
        <Sources message={message} />
        {turn === undefined ? null : <TurnEnd turn={turn} />}
      </div>
    </article>
  )
})

function Question({ message, me }: { readonly message: MessageView; readonly me: string }) {
  const mine = message.author === me || me === ''
  return (
    <article className="message question" aria-label={mine ? 'You' : message.author}>
      {mine ? null : <p className="author">{message.author}</p>}
      <div className="bubble">{message.text}</div>
    </article>
  )
}

function AnswerText({ message }: { readonly message: MessageView }) {
  if (message.status === 'retracted') {
    return <p className="retracted">This answer was withdrawn. {message.reason}</p>
  }
  const waits = message.status === 'streaming'
  if (message.text === '' && message.tail === null) return waits ? <span className="caret" aria-hidden="true" /> : null
  return (
    <div className="text" data-streaming={waits}>
      <RichText text={message.tail === null ? message.text : `${message.text} … ${message.tail.text}`} />
      {waits ? <span className="caret" aria-hidden="true" /> : null}
      {message.status === 'cut' ? <span className="cut">cut here</span> : null}
    </div>
  )
}

function Sources({ message }: { readonly message: MessageView }) {
  const data = message.data
  return (
    <>
      {message.citations.length === 0 ? null : (
        <details className="sources">
          <summary>{message.citations.length === 1 ? '1 source' : `${message.citations.length} sources`}</summary>
          <ol>
            {message.citations.map((citation) => (
              <li key={citation.mark} value={citation.mark}>
                <a {...linkTo(citation.link)}>
                  <cite>{placeInWords(citation)}</cite>
                </a>
                <blockquote>{citation.quote}</blockquote>
              </li>
            ))}
          </ol>
        </details>
      )}
      {data === null || data === undefined ? null : (
        <details className="sources">
          <summary>Structured answer</summary>
          <pre tabIndex={0}>{typeof data === 'object' ? JSON.stringify(data, null, 2) : valueInWords(data)}</pre>
        </details>
      )}
    </>
  )
}

/** A passage opens in this page, behind the same sign-in; what leads elsewhere opens beside it. */
function linkTo(link: string): { href: string; target?: string; rel?: string } {
  return link.startsWith('/#/') ? { href: link.slice(1) } : { href: link, target: '_blank', rel: 'noreferrer' }
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

function Time({ at }: { readonly at: number }) {
  if (at === 0) return null
  return <time dateTime={new Date(at).toISOString()}>{clock.format(at)}</time>
}

function initial(title: string): string {
  return /\p{L}|\p{N}/u.exec(title)?.[0].toUpperCase() ?? '·'
}
