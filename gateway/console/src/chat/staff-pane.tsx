import { useRef, useState } from 'react'
import type { Conversation } from '#gateway/client/conversation.ts'
import { newClientId } from '#gateway/client/new-id.ts'
import { failureOf } from '#gateway/client/request-failed.ts'
import { controlInWords } from '#gateway/client/words.ts'
import type { ControlMode } from '#shared/contracts/control.ts'
import { useSelected, useStore } from '../use-store.ts'

const KINDS = {
  reply: 'Reply to the customer',
  note: 'Note for colleagues',
  whisper: 'Whisper to the agent',
} as const
type Kind = keyof typeof KINDS
/** Writing is said again this often while it goes on. */
const TYPING_EVERY_MS = 3_000
const NOTES_SHOWN = 5

/** What people of the tenant do in a conversation: have its voice or give it back, answer, and say things beside it. */
export function StaffPane({ conversation, me }: { readonly conversation: Conversation; readonly me: string }) {
  const id = useSelected(conversation, ({ state }) => state.conversationId)
  const control = useSelected(conversation, ({ state }) => state.control)
  const offer = useSelected(conversation, ({ state }) => state.staff.offer)
  const [problem, setProblem] = useState('')
  const mine = control.mode === 'human' && control.owner === me
  const act = (work: Promise<unknown>): void => {
    work.then(
      () => setProblem(''),
      (thrown: unknown) => {
        const { message, action } = failureOf(thrown)
        setProblem(`${message} ${action}`)
      },
    )
  }
  if (id === '') return null
  const move = (action: 'take' | 'accept' | 'release'): void =>
    act(conversation.request('conversation:control', { action }))
  return (
    <section className="staff" aria-label="For operators">
      <div className="staff-line">
        <p className="staff-voice">
          {mine ? 'You have the voice' : controlInWords({ owner: control.owner, mode: control.mode as ControlMode })}
          {offer === null ? null : <span className="faint"> · offered to {offer.to.id}</span>}
        </p>
        {mine ? (
          <button type="button" className="button" onClick={() => move('release')}>
            Hand back
          </button>
        ) : (
          <button type="button" className="button" onClick={() => move(offer === null ? 'take' : 'accept')}>
            {offer === null ? 'Take over' : 'Accept'}
          </button>
        )}
      </div>
      <Others conversation={conversation} me={me} />
      <Notes conversation={conversation} />
      <Words conversation={conversation} mine={mine} act={act} />
      {problem === '' ? null : (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
    </section>
  )
}

/** Two people on one conversation should know of each other before both answer. */
function Others({ conversation, me }: { readonly conversation: Conversation; readonly me: string }) {
  const { people, typing } = useStore(conversation.live)
  const others = people.filter(({ user }) => user !== me)
  const customer = typing.some(({ role }) => role === 'customer')
  if (others.length === 0 && !customer) return null
  const states = { viewing: 'is looking at this', replying: 'is writing a reply', noting: 'is writing a note' } as const
  return (
    <p className="staff-others" role="status">
      {others.map(({ user, state }) => `${user} ${states[state]}.`).join(' ')}
      {customer ? ' The customer is writing.' : ''}
    </p>
  )
}

function Notes({ conversation }: { readonly conversation: Conversation }) {
  const { notes, briefing, drafts } = useSelected(conversation, ({ state }) => state.staff)
  if (notes.length === 0 && briefing === null && drafts.length === 0) return null
  return (
    <ul className="staff-notes">
      {briefing === null ? null : <li>{briefing.summary}</li>}
      {drafts.map(({ messageId, text, message }) => (
        <li key={messageId}>
          <strong>{message === null ? 'draft, being written' : 'draft, waits for a decision'}</strong> {text}
        </li>
      ))}
      {notes.slice(-NOTES_SHOWN).map((note) => (
        <li key={note.id}>
          <strong>
            {note.kind} of {note.author}
          </strong>{' '}
          {note.text}
          {note.state === 'kept' ? null : <span className="faint"> · {note.state}</span>}
        </li>
      ))}
    </ul>
  )
}

interface WordsProps {
  readonly conversation: Conversation
  readonly mine: boolean
  readonly act: (work: Promise<unknown>) => void
}

function Words({ conversation, mine, act }: WordsProps) {
  const [chosen, setKind] = useState<Kind>('note')
  const [text, setText] = useState('')
  const typedAt = useRef(0)
  const kind = chosen === 'reply' && !mine ? 'note' : chosen
  const say = (): void => {
    const said = text.trim()
    if (said === '') return
    const id = newClientId()
    act(
      (kind === 'reply'
        ? conversation.request('message:reply', { id, text: said })
        : conversation.request('note:add', { id, text: said, kind })
      ).then(() => setText('')),
    )
  }
  const write = (value: string): void => {
    setText(value)
    if (Date.now() - typedAt.current < TYPING_EVERY_MS) return
    typedAt.current = Date.now()
    const where = kind === 'reply' ? 'reply' : 'note'
    // Nobody misses it when it does not arrive.
    conversation.request('typing', { on: true, where }).catch(() => undefined)
  }
  return (
    <form
      className="staff-line"
      onSubmit={(event) => {
        event.preventDefault()
        say()
      }}
    >
      <select aria-label="What to say it as" value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
        {(Object.keys(KINDS) as Kind[]).map((one) => (
          <option key={one} value={one} disabled={one === 'reply' && !mine}>
            {KINDS[one]}
          </option>
        ))}
      </select>
      <input aria-label="Words of an operator" value={text} onChange={(event) => write(event.target.value)} />
      <button type="submit" className="button" disabled={text.trim() === ''}>
        Say
      </button>
    </form>
  )
}
