import { chooseMember, loadOf } from '#services/desk/choose-member.ts'
import type { TeamState, Waiting } from '#services/desk/choose-member.ts'
import { assert, suite } from '#test/kit/suite.ts'

const waiting = (given: Partial<Waiting> = {}): Waiting => ({
  conversationId: 'c1',
  skills: [],
  asked: null,
  askedAt: 0,
  refused: [],
  since: 0,
  ...given,
})
const state = (given: Partial<TeamState> = {}): TeamState => ({ waiting: [], held: {}, away: [], ...given })
const member = (userId: string, skills: string[] = [], capacity = 2) => ({ userId, skills, capacity })

suite('who of a team is asked', ({ test }) => {
  test('one with every skill, the least loaded, and of those the one with the fewest other skills', () => {
    const team = [member('ann', ['french', 'billing']), member('bob', ['french']), member('cyd')]
    assert.is(chooseMember(state(), waiting({ skills: ['french'] }), team), 'bob')
    assert.is(chooseMember(state({ held: { c9: 'bob' } }), waiting({ skills: ['french'] }), team), 'ann')
    assert.is(chooseMember(state(), waiting({ skills: ['french', 'law'] }), team), null)
  })

  test('nobody who is away, has declined, or has no room; those they are asked for count', () => {
    const team = [member('ann', [], 1), member('bob', [], 1)]
    const busy = state({ held: { c9: 'ann' }, waiting: [waiting({ conversationId: 'c8', asked: 'bob' })] })
    assert.equal([loadOf(busy, 'ann'), loadOf(busy, 'bob')], [1, 1])
    assert.is(chooseMember(busy, waiting(), team), null)
    assert.is(chooseMember(state({ away: ['ann'] }), waiting({ refused: ['bob'] }), team), null)
    assert.is(chooseMember(state({ away: ['ann'] }), waiting(), team), 'bob')
    assert.is(chooseMember(state(), waiting(), [member('off', [], 0)]), null)
  })
})
