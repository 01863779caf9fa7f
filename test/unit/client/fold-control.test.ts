import { emptyConversation, fromSnapshot } from '#gateway/client/conversation-state.ts'
import type { ConversationState } from '#gateway/client/conversation-state.ts'
import { reduce } from '#gateway/client/reduce.ts'
import type { EventPayload, EventType } from '#shared/contracts/event-map.ts'
import type { Note } from '#shared/contracts/note.ts'
import { assert, suite } from '#test/kit/suite.ts'

const note = (id: string, given: Partial<Note> = {}): Note => ({
  id,
  clientId: '',
  kind: 'note',
  author: 'olga',
  text: `text of ${id}`,
  turnId: null,
  state: 'kept',
  at: 1,
  ...given,
})

let sequence = 0
function say<Type extends EventType>(
  state: ConversationState,
  type: Type,
  payload: EventPayload<Type>,
): ConversationState {
  const at = ++sequence
  const entry = { conversationId: 'c1', audience: 'ops', id: `e${at}`, by: 'supervisor/c1', at, type, payload } as const
  return reduce(state, { ...entry, cursor: `i.${at}` })
}

suite('client: what people of the tenant see', ({ test }) => {
  test('notes once each, whispers with what became of them', () => {
    let state = say(emptyConversation('c1'), 'note:added', note('n1'))
    state = say(state, 'note:added', note('n2', { kind: 'whisper', state: 'waiting' }))
    state = say(state, 'note:added', note('n1'))
    state = say(state, 'whisper:delivered', { noteId: 'n2', turnId: 't1', agent: 'billing', step: null })
    assert.equal(
      state.staff.notes.map(({ id, state: now }) => [id, now]),
      [
        ['n1', 'kept'],
        ['n2', 'delivered'],
      ],
    )
    state = say(state, 'note:added', note('n2', { kind: 'whisper', state: 'waiting' }))
    assert.is(state.staff.notes[1]?.state, 'delivered', 'the same fact said again settles nothing anew')
    assert.equal(state.messages, [], 'none of it is a message')
  })

  test('a draft as it is written, as it waits, and no longer once decided or its turn is over', () => {
    const message = {
      id: 'm1',
      clientId: '',
      parentId: null,
      role: 'assistant',
      author: 'billing',
      text: 'Whole.',
      citations: [],
      extractive: false,
      data: null,
      revision: 1,
      at: 1,
    } as const
    const decided = { turnId: 't1', messageId: 'm1', outcome: 'said', by: 'olga', reason: '' } as const
    let state = say(emptyConversation('c1'), 'draft:delta', { turnId: 't1', messageId: 'm1', offset: 0, text: 'Who' })
    assert.equal(
      state.staff.drafts.map(({ text, message: whole }) => [text, whole]),
      [['Who', null]],
    )
    state = say(state, 'draft:completed', { turnId: 't1', message: { ...message, citations: [] } })
    state = say(state, 'draft:delta', { turnId: 't1', messageId: 'm1', offset: 0, text: '' })
    assert.is(state.staff.drafts[0]?.text, 'Whole.')
    assert.equal(say(state, 'draft:decided', decided).staff.drafts, [])
    const ended = { turnId: 't1', outcome: 'stopped', error: null, report: null, ms: 1 } as const
    assert.equal(say(state, 'turn:ended', ended).staff.drafts, [])
  })

  test('an older briefing does not take the place of a newer one; a customer’s snapshot leaves it empty', () => {
    const briefing = { owner: 'olga', summary: '', wants: null, spoken: [], tools: [], notes: [] }
    let state = say(emptyConversation('c1'), 'control:briefed', { ...briefing, control: 4 })
    state = say(state, 'control:briefed', { ...briefing, control: 2 })
    assert.is(state.staff.briefing?.control, 4)
    const snapshot = { cursor: 'i.99', conversationId: 'c1', messages: [], turns: [], staff: null }
    const control = { owner: '', mode: 'auto', control: 1 }
    assert.equal(fromSnapshot({ ...snapshot, control }).staff, emptyConversation('c1').staff)
  })
})
