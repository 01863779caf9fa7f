import { emptyConversation, fromSnapshot, openTurns } from '#gateway/client/conversation-state.ts'
import type { ConversationState } from '#gateway/client/conversation-state.ts'
import { activeMessages, alternativesOf } from '#gateway/client/fold-branch.ts'
import { reduce } from '#gateway/client/reduce.ts'
import { EVENTS } from '#shared/contracts/event-map.ts'
import type { EventPayload, EventType, MessageFact } from '#shared/contracts/event-map.ts'
import { assert, suite } from '#test/kit/suite.ts'

/** Folds what is said, one entry after the other. */
class Told {
  state: ConversationState = emptyConversation('c1')
  #sequence = 0

  say<Type extends EventType>(type: Type, payload: EventPayload<Type>): this {
    const cursor = `one.${++this.#sequence}`
    const { audience } = EVENTS[type]
    const entry = { cursor, conversationId: 'c1', audience, id: cursor, type, by: 'x', at: this.#sequence, payload }
    this.state = reduce(this.state, entry)
    return this
  }
  asks(id: string, parentId: string | null): this {
    return this.say('message:received', fact(id, 'user', parentId))
  }
  begins(turnId: string, messageId: string, after: string | null, joined: string[] = []): this {
    return this.say('turn:started', { turnId, messageId, after, joined })
  }
  speaks(turnId: string, messageId: string): this {
    return this.say('agent:speaking', { turnId, runId: turnId, agent: 'a', title: 'A', messageId })
  }
  answers(turnId: string, id: string, parentId: string): this {
    this.say('message:completed', fact(id, 'assistant', parentId))
    return this.say('turn:ended', { turnId, outcome: 'answered', error: null, report: null, ms: 1 })
  }
  get shown(): string[] {
    return activeMessages(this.state).map(({ id }) => id)
  }
}

function fact(id: string, role: MessageFact['role'], parentId: string | null): MessageFact {
  const empty = { clientId: '', citations: [], extractive: false, data: null, revision: 1, at: 0 }
  return { ...empty, id, role, parentId, author: role, text: id }
}

const turn = (): Told =>
  new Told().asks('m1', null).begins('t1', 'm1', null).speaks('t1', 'm2').answers('t1', 'm2', 'm1')

suite('client: branches', ({ test }) => {
  test('a conversation without any is shown whole, as the same list', () => {
    const told = turn().asks('m3', 'm2').begins('t2', 'm3', 'm2').speaks('t2', 'm4').answers('t2', 'm4', 'm3')
    assert.is(activeMessages(told.state), told.state.messages)
    assert.is(told.state.branch.leafId, 'm4')
  })

  test('a message that waited follows what was said meanwhile', () => {
    const told = new Told().asks('m1', null).begins('t1', 'm1', null).asks('m3', 'm1')
    assert.equal(told.state.branch.waiting, ['m3'])
    told.speaks('t1', 'm2').answers('t1', 'm2', 'm1')
    assert.equal(told.shown, ['m1', 'm2', 'm3'])
    told.begins('t2', 'm3', 'm2')
    assert.is(told.state.messages.at(-1)?.parentId, 'm2')
    assert.equal(told.state.branch.waiting, [])
    assert.equal(told.shown, ['m1', 'm2', 'm3'])
  })

  test('a beginning that is told behind its end opens nothing again and moves no branch', () => {
    const late = new Told().asks('m1', null).speaks('t1', 'm2').answers('t1', 'm2', 'm1').begins('t1', 'm1', null)
    assert.equal(openTurns(late.state), [])
    assert.equal(late.shown, ['m1', 'm2'])
    const gone = turn().asks('m3', 'm2').begins('t2', 'm3', 'm2').begins('t1', 'm1', null)
    assert.equal(
      openTurns(gone.state).map(({ turnId }) => turnId),
      ['t2'],
    )
    assert.equal(gone.shown, ['m1', 'm2', 'm3'])
  })

  test('another answer hides the first one from its beginning on, and lists it as an alternative', () => {
    const told = turn()
      .say('branch:changed', { leafId: 'm1', path: ['m1'], withdrawn: [], reason: 'regenerate' })
      .begins('t2', 'm1', null)
    assert.equal(told.shown, ['m1'])
    told.speaks('t2', 'm5')
    assert.equal(told.shown, ['m1', 'm5'])
    told.answers('t2', 'm5', 'm1')
    assert.equal(told.shown, ['m1', 'm5'])
    const answer = told.state.messages.find(({ id }) => id === 'm5')!
    assert.equal(
      alternativesOf(told.state, answer).map(({ id }) => id),
      ['m2', 'm5'],
    )
    told.say('branch:changed', { leafId: 'm2', path: ['m1', 'm2'], withdrawn: [], reason: 'select' })
    assert.equal(told.shown, ['m1', 'm2'])
  })

  test('an edited message hides what followed the one it stands for', () => {
    const told = turn().asks('m3', null)
    told
      .say('branch:changed', { leafId: 'm3', path: ['m3'], withdrawn: [], reason: 'edit' })
      .begins('t2', 'm3', null)
      .speaks('t2', 'm4')
      .answers('t2', 'm4', 'm3')
    assert.equal(told.shown, ['m3', 'm4'])
  })

  test('a message that steered stands before the answer that heard it', () => {
    const told = new Told().asks('m1', null).begins('t1', 'm1', null).speaks('t1', 'm2').asks('m3', 'm1')
    told.say('message:steered', { messageId: 'm3', turnId: 't1', step: 2, after: 'm1' })
    assert.equal(told.shown, ['m1', 'm3', 'm2'])
    told.answers('t1', 'm2', 'm3')
    assert.equal(told.shown, ['m1', 'm3', 'm2'])
    assert.equal(told.state.turns[0]?.steered, [{ messageId: 'm3', step: 2 }])
  })

  test('a message that was not heard stays in view, one that was taken back does not', () => {
    const told = new Told().asks('m1', null).begins('t1', 'm1', null).speaks('t1', 'm2').asks('m3', 'm1')
    told.say('message:undelivered', { messageId: 'm3', turnId: 't1', reason: 'late' }).answers('t1', 'm2', 'm1')
    assert.equal(told.shown, ['m1', 'm2', 'm3'])
    assert.equal(told.state.branch.undelivered, [{ messageId: 'm3', reason: 'late' }])
    told.asks('m4', 'm2').begins('t2', 'm4', 'm2')
    told.say('branch:changed', { leafId: 'm2', path: ['m1', 'm2'], withdrawn: ['m4'], reason: 'rollback' })
    assert.equal(told.shown, ['m1', 'm2', 'm3'])
  })

  test('begins from a snapshot where it stands', () => {
    const state = fromSnapshot({
      cursor: 'one.9',
      conversationId: 'c1',
      messages: [fact('m1', 'user', null), fact('m2', 'assistant', 'm1'), fact('m5', 'assistant', 'm1')],
      turns: [],
      control: { owner: '', mode: 'auto', control: 1 },
      staff: null,
      branch: { leafId: 'm5', waiting: [], undelivered: [] },
    })
    assert.equal(
      activeMessages(state).map(({ id }) => id),
      ['m1', 'm5'],
    )
  })
})
