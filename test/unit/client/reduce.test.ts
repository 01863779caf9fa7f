import fc from 'fast-check'
import { emptyConversation, fromSnapshot, openTurns } from '#gateway/client/conversation-state.ts'
import type { ConversationState } from '#gateway/client/conversation-state.ts'
import { reduce } from '#gateway/client/reduce.ts'
import { withPast } from '#gateway/client/with-past.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { makeLog } from './made-log.ts'

const fold = (entries: readonly LogEntry[], from = emptyConversation('conv1')): ConversationState => {
  let state = from
  for (const entry of entries) state = reduce(state, entry)
  return state
}

const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const place = fc.double({ min: 0, max: 1, noNaN: true })

suite('client: the fold of a conversation', ({ test }) => {
  test('ends with the final text of every finished message, whatever was streamed before', () => {
    fc.assert(
      fc.property(seed, (number) => {
        const { entries, finished } = makeLog(number)
        const state = fold(entries)
        for (const [id, text] of finished) {
          const message = state.messages.find((other) => other.id === id)
          assert.is(message?.text, text)
          assert.is(message?.status, 'complete')
        }
        assert.is(openTurns(state).length, 0)
        assert.not(state.messages.some((message) => message.status === 'streaming'))
      }),
    )
  })

  test('gives the same state when connections break anywhere and overlap when they come back', () => {
    fc.assert(
      fc.property(seed, place, fc.array(fc.tuple(place, place), { maxLength: 6 }), (number, end, breaks) => {
        const made = makeLog(number).entries
        const entries = made.slice(0, Math.ceil(end * made.length)) // mostly in the middle of a text
        const straight = fold(entries)
        let state = emptyConversation('conv1')
        let done = 0
        for (const [share, back] of breaks) {
          const until = Math.max(done, Math.floor(share * entries.length))
          // The gateway may begin anywhere at or before what was seen; nothing between may be missing.
          state = fold(entries.slice(Math.floor(back * done), until), state)
          done = until
        }
        state = fold(entries.slice(Math.floor(done / 2)), state)
        assert.equal(state, straight)
      }),
    )
  })

  test('does not change for a moment by an entry that was seen before', () => {
    fc.assert(
      fc.property(seed, place, (number, at) => {
        const { entries } = makeLog(number)
        const seen = entries.slice(0, Math.ceil(at * entries.length))
        const state = fold(seen)
        for (const entry of seen) assert.is(reduce(state, entry), state)
      }),
    )
  })

  test('shows from a snapshot who is about to speak', () => {
    const state = fromSnapshot({
      cursor: 'inc1.5',
      conversationId: 'conv1',
      messages: [],
      turns: [{ turnId: 't1', messageId: 'm1', agent: 'billing', runId: 'r1', answerId: 'm2' }],
      control: { owner: 'billing', mode: 'auto', control: 3 },
      staff: null,
    })
    assert.equal(
      state.messages.map(({ id, author, status, turnId }) => ({ id, author, status, turnId })),
      [{ id: 'm2', author: 'billing', status: 'streaming', turnId: 't1' }],
    )
  })

  test('gives the same messages, turns that run and control from a snapshot at any place and what follows', () => {
    fc.assert(
      fc.property(seed, place, place, (number, at, behind) => {
        const { entries, snapshotAt } = makeLog(number)
        const count = Math.floor(at * entries.length)
        const snapshot = snapshotAt(count)
        // The sequence is read before the database: what the snapshot holds already may be replayed after its cursor.
        const from = Math.floor(behind * count)
        const cursor = entries[from - 1]?.cursor ?? 'inc1.0'
        const joined = fold(entries.slice(from), fromSnapshot({ ...snapshot, cursor }))
        const straight = fold(entries)
        const shown = (state: ConversationState): unknown =>
          state.messages
            .filter((message) => message.status === 'complete')
            .map(({ id, text, revision, author, parentId }) => ({ id, text, revision, author, parentId }))
        assert.equal(shown(joined), shown(straight))
        assert.equal(openTurns(joined), openTurns(straight))
        assert.equal(joined.cursor, straight.cursor)
      }),
    )
  })

  test('knows the tools and outcomes of finished turns from a snapshot with a past, wherever it was taken', () => {
    fc.assert(
      fc.property(seed, place, place, (number, at, behind) => {
        const { entries, snapshotAt } = makeLog(number)
        const count = Math.floor(at * entries.length)
        const from = Math.floor(behind * count)
        const snapshot = { ...snapshotAt(count), cursor: entries[from - 1]?.cursor ?? 'inc1.0' }
        // The past ends at the cursor; the gateway leaves text and messages out of it.
        const past = entries.slice(0, from).filter(({ type }) => !/^(text|message):/.test(type))
        const joined = fold(entries.slice(from), withPast(fromSnapshot(snapshot), past))
        const straight = fold(entries)
        const how = (state: ConversationState): unknown =>
          Object.fromEntries(
            state.turns.map(({ turnId, messageId, outcome, route, tools, checks }) => [
              turnId,
              { messageId, outcome, route, tools, checks },
            ]),
          )
        assert.equal(how(joined), how(straight))
        const texts = (state: ConversationState): unknown =>
          state.messages.filter(({ status }) => status === 'complete').map(({ id, text }) => [id, text])
        assert.equal(texts(joined), texts(straight))
        assert.not(joined.messages.some(({ status }) => status === 'streaming'))
      }),
    )
  })

  test('shows a reader who came in the middle the same streamed text, only its beginning missing', () => {
    fc.assert(
      fc.property(seed, place, (number, at) => {
        const { entries, snapshotAt } = makeLog(number)
        const count = Math.floor(at * entries.length)
        let joined = fromSnapshot(snapshotAt(count))
        let straight = fold(entries.slice(0, count))
        for (const entry of entries.slice(count)) {
          joined = reduce(joined, entry)
          straight = reduce(straight, entry)
          for (const mine of joined.messages) {
            const full = straight.messages.find((message) => message.id === mine.id)
            if (full === undefined || mine.status !== 'streaming' || full.status !== 'streaming') continue
            if (mine.tail === null || full.tail !== null) continue
            assert.is(full.text.slice(mine.tail.offset), mine.tail.text)
          }
        }
      }),
    )
  })

  test('leaves the identity of what an entry does not touch as it was', () => {
    const { entries } = makeLog(7)
    let state = emptyConversation('conv1')
    for (const entry of entries) {
      const next = reduce(state, entry)
      const kept = next.messages.filter((message) => state.messages.includes(message))
      assert.ok(next.messages.length - kept.length <= 1, `${entry.type} changed more than one message`)
      state = next
    }
  })

  test('does not let a fact relayed twice reopen what is finished', () => {
    const { entries } = makeLog(3, 2)
    const end = fold(entries)
    let sequence = 1_000_000
    const again = entries.filter(({ type }) => type !== 'text:delta')
    const twice = fold(
      again.map((entry) => ({ ...entry, cursor: `inc1.${(sequence += 1)}` })),
      end,
    )
    assert.equal({ ...twice, cursor: null }, { ...end, cursor: null })
  })

  test('ignores what it does not know, and moves its cursor over it', () => {
    const entry: LogEntry = {
      cursor: 'inc1.9',
      conversationId: 'conv1',
      audience: 'pub',
      id: 'e9',
      type: 'constructor',
      by: 'x',
      at: 1,
      payload: { turnId: 't' },
    }
    const before = emptyConversation('conv1')
    assert.equal(reduce(before, entry), { ...before, cursor: 'inc1.9' })
    assert.equal(reduce(before, { ...entry, type: 'text:delta', payload: null }), { ...before, cursor: 'inc1.9' })
  })

  test('puts an answer behind its question, though a second question came before it', () => {
    const base = { conversationId: 'conv1', audience: 'pub' as const, by: 'x', at: 1 }
    const question = (id: string, sequence: number): LogEntry => ({
      ...base,
      cursor: `inc1.${sequence}`,
      id: `e${sequence}`,
      type: 'message:received',
      payload: {
        id,
        clientId: '',
        parentId: null,
        role: 'user',
        author: 'ann',
        text: id,
        citations: [],
        extractive: false,
        data: null,
        revision: 1,
        at: 1,
      },
    })
    const state = fold([
      question('m1', 1),
      { ...base, cursor: 'inc1.2', id: 'e2', type: 'turn:started', payload: { turnId: 't1', messageId: 'm1' } },
      question('m2', 3),
      {
        ...base,
        cursor: 'inc1.4',
        id: 'e4',
        type: 'agent:speaking',
        payload: { turnId: 't1', runId: 'r1', agent: 'a', title: 'A', messageId: 'm3' },
      },
    ])
    assert.equal(
      state.messages.map((message) => message.id),
      ['m1', 'm3', 'm2'],
    )
  })
})
