/** The rules of a desk, each with items of its own conversation on one swarm: nobody waits for these items but the log. */
import type { Decision, NewReviewItem, ReviewItem, ReviewTerms } from '#shared/contracts/review.ts'
import { Desk } from '#shared/contracts/review.ts'
import { createConversation } from '#shared/db/repositories/conversations.ts'
import { listAudit } from '#shared/db/repositories/audit.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { decide, parkedItems, payloads } from '#test/kit/reviews.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry, TestSwarm } from '#test/kit/swarm.ts'

const APPROVE: Decision = { action: 'approve' }
const SCHEMA = {
  type: 'object',
  properties: { cents: { type: 'integer', maximum: 1_000 } },
  required: ['cents'],
  additionalProperties: false,
}
const SOON_MS = 150

suite('a desk', ({ test, before, after }) => {
  let swarm: TestSwarm
  let made = 0

  before(async () => {
    swarm = await startSwarm({ script: () => ({ steps: [] }) })
  })
  after(() => swarm.close())

  /** An item in a conversation of its own. */
  async function parked(
    terms: Partial<ReviewTerms> = {},
    given: Partial<NewReviewItem> = {},
    conversation = `d${++made}`,
  ): Promise<ReviewItem> {
    await swarm.database.tenant(TENANT, (sql) =>
      createConversation(sql, { id: conversation, userId: 'ada', channel: 'test' }),
    )
    const item: NewReviewItem = {
      id: `i-${conversation}`,
      turnId: `t-${conversation}`,
      runId: 'r',
      agent: 'support',
      kind: 'tool_call',
      tool: 'refund',
      title: 'Refund',
      proposal: { cents: 900 },
      schema: SCHEMA,
      evidence: [],
      terms: {
        reason: 'Money leaves.',
        team: '',
        quorum: 1,
        dueMs: null,
        expiresMs: null,
        onExpiry: 'wait',
        escalateTo: [],
        ...terms,
      },
      ...given,
    }
    const origin = { kind: 'agent' as const, key: [conversation, 'support'] }
    await swarm.reach().ref(Desk, conversation).confirm('park', { item, origin })
    const { items } = await swarm.reach('olga', ['operator']).ref(Desk, conversation).ask('items', {})
    return items.at(-1)!
  }

  const refusal = async (promise: Promise<unknown>): Promise<{ code: string; details: Record<string, unknown> }> => {
    try {
      await promise
    } catch (error) {
      const { code, details } = coded(error)
      return { code, details: { ...details } }
    }
    throw new Error('it was not refused')
  }
  /** What the log says of an item up to its last revision: a receipt is said before that is there. */
  const history = async (item: ReviewItem, revision: number): Promise<unknown[]> => {
    const entries = await once(item, (now) => now.id === item.id && now.revision === revision)
    return payloads(entries, 'review:changed').map(({ state, revision: known }) => [state, known])
  }
  const once = (item: ReviewItem, fits: (now: ReviewItem) => boolean): Promise<readonly SwarmEntry[]> =>
    swarm.until(
      item.conversationId,
      ({ event }) => event.type === 'review:changed' && fits(event.payload as ReviewItem),
    )

  test('takes the first decision, and tells the others by whom it was made, when and what', async () => {
    const item = await parked()
    const decisions = await Promise.allSettled([
      decide(swarm, item, APPROVE, 'olga'),
      decide(swarm, item, { action: 'reject', reason: 'no' }, 'otto'),
    ])
    const taken = decisions.filter((one) => one.status === 'fulfilled')
    assert.is(taken.length, 1)
    const [first] = taken
    const lost = await refusal(decide(swarm, item, { action: 'answer', text: 'later' }, 'oskar'))
    assert.is(lost.code, 'REVIEW_DECIDED')
    const { decision } = first!.value
    assert.equal(
      [lost.details['by'], lost.details['at'], lost.details['decision']],
      [decision!.by, decision!.at, decision!.decision.action],
    )
    assert.is((await history(item, 2)).length, 2)
  })

  test('takes the same decision of the same person again, as if it had come once', async () => {
    const item = await parked()
    const taken = await decide(swarm, item, APPROVE)
    assert.equal(await decide(swarm, item, APPROVE), taken)
    assert.is((await history(item, 2)).length, 2)
    const audit = await swarm.database.tenant(TENANT, (sql) => listAudit(sql, { action: 'review.decided' }))
    assert.is(audit.filter(({ subject }) => subject === item.id).length, 1)
  })

  test('refuses a decision about something else than what is there', async () => {
    const item = await parked()
    assert.is(await codeOf(decide(swarm, item, APPROVE, 'olga', { nonce: 'another' })), 'REVIEW_CHANGED')
    assert.is(await codeOf(decide(swarm, item, APPROVE, 'olga', { argsHash: 'another' })), 'REVIEW_CHANGED')
    assert.is(await codeOf(decide(swarm, { ...item, id: 'nothing' }, APPROVE)), 'NOT_FOUND')
    const elsewhere = await parked()
    const borrowed = { ...item, conversationId: elsewhere.conversationId }
    assert.is(await codeOf(decide(swarm, borrowed, APPROVE)), 'NOT_FOUND', 'an item of another conversation')
    assert.equal(await history(item, 1), [['open', 1]])
  })

  test('takes no edit that does not fit the schema of the tool, and nothing that the kind does not have', async () => {
    const item = await parked()
    const { code, details } = await refusal(decide(swarm, item, { action: 'edit', args: { cents: 5_000 }, reason: '' }))
    assert.is(code, 'BAD_INPUT')
    assert.match(JSON.stringify(details['fields']), /args\/cents/)
    const unknown = { action: 'edit', args: { cents: 1, to: 'me' }, reason: '' } as const
    assert.is(await codeOf(decide(swarm, item, unknown)), 'BAD_INPUT')
    const question = await parked({}, { kind: 'question', schema: null })
    assert.is(await codeOf(decide(swarm, question, APPROVE)), 'BAD_INPUT')
    assert.is((await decide(swarm, question, { action: 'answer', text: 'yes' })).state, 'answered')
  })

  test('keeps no answer where nobody knows to what, where several write it, or where it is said to an agent alone', async () => {
    const curated = async (item: ReviewItem, decision: Decision): Promise<void> => {
      const { code, details } = await refusal(decide(swarm, item, { ...decision, curate: true } as Decision))
      assert.equal([code, JSON.stringify(details['fields']).includes('decision/curate')], ['BAD_INPUT', true])
    }
    const said = { evidence: [{ kind: 'question', text: 'How much?' }] }
    const draft = { kind: 'draft_reply', proposal: { text: 'Two.' }, schema: { type: 'object' } } as const
    const edit: Decision = { action: 'edit', args: { text: 'Three.' }, reason: '' }
    await curated(await parked({}, said), { ...edit, args: { cents: 100 } })
    await curated(await parked({}, said), { action: 'answer', text: 'I have paid it by hand.' })
    await curated(await parked({}, draft), edit)
    await curated(await parked({ quorum: 2 }, { ...draft, ...said }), edit)
    await curated(await parked({}, { ...draft, ...said }), { ...edit, args: {} })
    const item = await parked({}, { ...draft, ...said })
    assert.is(await codeOf(decide(swarm, item, { ...edit, curate: true } as Decision)), 'REVIEW_NO_COLLECTION')
    assert.equal(await history(item, 1), [['open', 1]])
  })

  test('lets only operators of the tenant decide, claim and look', async () => {
    const item = await parked()
    const { conversationId, id: itemId, nonce, argsHash } = item
    const ada = swarm.reach('ada', ['customer']).ref(Desk, conversationId)
    assert.is(await codeOf(ada.confirm('decide', { itemId, nonce, argsHash, decision: APPROVE })), 'FORBIDDEN')
    assert.is(await codeOf(ada.confirm('claim', { itemId })), 'FORBIDDEN')
    assert.is(await codeOf(ada.ask('items', {})), 'FORBIDDEN')
  })

  test('counts distinct persons where several have to approve; an edit begins the count anew', async () => {
    const item = await parked({ quorum: 2 })
    const one = await decide(swarm, item, APPROVE, 'olga')
    assert.equal([one.state, one.approvals.length], ['open', 1])
    assert.is((await decide(swarm, one, APPROVE, 'olga')).approvals.length, 1, 'one person is one')
    const edited = await decide(swarm, one, { action: 'edit', args: { cents: 100 }, reason: 'less' }, 'otto')
    assert.equal(
      [edited.state, edited.approvals.map(({ by }) => by), edited.proposal],
      ['open', ['otto'], { cents: 100 }],
    )
    assert.is(await codeOf(decide(swarm, one, APPROVE, 'olga')), 'REVIEW_CHANGED', 'not what she was shown')
    const done = await decide(swarm, edited, APPROVE, 'olga')
    assert.equal(
      [done.state, done.decision!.decision],
      ['edited', { action: 'edit', args: { cents: 100 }, reason: '' }],
    )
    const other = await parked({ quorum: 3 })
    await decide(swarm, other, APPROVE, 'olga')
    assert.is((await decide(swarm, other, { action: 'reject', reason: 'no' }, 'otto')).state, 'rejected')
  })

  test('keeps a claimed item from others, and not from an administrator who gives it back', async () => {
    const item = await parked()
    const { conversationId, id: itemId } = item
    const as = (user: string, role = 'operator') => swarm.reach(user, [role]).ref(Desk, conversationId)
    const claimed = (await as('olga').confirm('claim', { itemId })) as ReviewItem
    assert.is(claimed.claimedBy, 'olga')
    const lost = await refusal(as('otto').confirm('claim', { itemId }))
    assert.equal([lost.code, lost.details['by']], ['REVIEW_CLAIMED', 'olga'])
    assert.is(await codeOf(decide(swarm, item, APPROVE, 'otto')), 'REVIEW_CLAIMED')
    assert.is(await codeOf(as('otto').confirm('unclaim', { itemId })), 'REVIEW_CLAIMED')
    await as('anna', 'admin').confirm('unclaim', { itemId })
    assert.is((await decide(swarm, item, APPROVE, 'otto')).state, 'approved')
  })

  test('denies, allows, or asks the next team when nobody decides in time, and says in whose name', async () => {
    const denied = await parked({ expiresMs: SOON_MS, onExpiry: 'deny' })
    const allowed = await parked({ expiresMs: SOON_MS, onExpiry: 'allow' })
    const question = await parked({ expiresMs: SOON_MS, onExpiry: 'allow' }, { kind: 'question', schema: null })
    const escalated = await parked({ expiresMs: SOON_MS, onExpiry: 'escalate', escalateTo: ['leads'] })
    const states = await Promise.all(
      [denied, allowed, question].map(async (item) => {
        await once(item, ({ state }) => state === 'expired')
        const last = payloads(await swarm.log(item.conversationId), 'review:changed').at(-1) as unknown as ReviewItem
        return [last.decision!.by, last.decision!.decision.action]
      }),
    )
    assert.equal(states, [
      ['system', 'reject'],
      ['system', 'approve'],
      ['system', 'reject'],
    ])
    await once(escalated, ({ team }) => team === 'leads')
    await once(escalated, ({ team, expiresAt }) => team === 'leads' && expiresAt === null)
    const [waits] = await parkedItems(swarm, escalated.conversationId)
    assert.equal([waits!.state, waits!.team], ['open', 'leads'], 'after the last team it waits')
    assert.is(await codeOf(decide(swarm, denied, APPROVE)), 'REVIEW_DECIDED')
  })

  test('goes on counting down on another node', async () => {
    const item = await parked({ expiresMs: 1_500, onExpiry: 'deny' })
    await swarm.node('n2')
    const n1 = swarm.nodes.shift()!
    await n1.stop()
    await once(item, ({ state }) => state === 'expired')
    assert.equal(await history(item, 2), [
      ['open', 1],
      ['expired', 2],
    ])
  })

  test('keeps one hand-off of a conversation open, and takes another after it', async () => {
    const first = await parked({}, { kind: 'handoff', schema: null })
    await parked({}, { kind: 'handoff', schema: null, id: 'second' }, first.conversationId)
    assert.is((await parkedItems(swarm, first.conversationId)).length, 1)
    await decide(swarm, first, APPROVE)
    await parked({}, { kind: 'handoff', schema: null, id: 'third' }, first.conversationId)
    assert.equal(
      (await parkedItems(swarm, first.conversationId)).map(({ id }) => id),
      ['third'],
    )
  })

  test('superseded items are over for everybody', async () => {
    const item = await parked()
    await swarm.reach().ref(Desk, item.conversationId).confirm('supersede', { turnId: item.turnId })
    assert.equal(await history(item, 2), [
      ['open', 1],
      ['superseded', 2],
    ])
    const late = await refusal(decide(swarm, item, APPROVE))
    assert.equal([late.code, late.details['state']], ['REVIEW_DECIDED', 'superseded'])
  })
})
