import { createClient } from '#gateway/client/client.ts'
import { Inbox } from '#gateway/client/inbox.ts'
import { fieldsOf, valuesOf } from '#gateway/console/src/inbox/form-fields.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { CUSTOMER_TOKEN, FakeGateway, OPERATOR_TOKEN } from './fake-gateway.ts'
import { reviewItem } from './made-review.ts'
import { until } from './until.ts'

suite('an inbox', ({ test }) => {
  test('shows what waited before, what comes and goes, and what has changed while there was no connection', async () => {
    const gateway = await FakeGateway.start()
    const client = createClient({ url: gateway.url, token: OPERATOR_TOKEN, retryFirstMs: 5 })
    const swarm = client.watch()
    const inbox = new Inbox({ reviews: client.reviews, connection: client.connection, swarm })
    try {
      const conversationId = gateway.log.open()
      gateway.reviews.push(reviewItem({ id: 'old', conversationId }))
      const old = await until(inbox, ({ items }) => items.length === 1)
      const fresh = reviewItem({ id: 'new', conversationId })
      gateway.reviews.push(fresh)
      gateway.say(conversationId, 'review:changed', fresh)
      const both = await until(inbox, ({ items }) => items.length === 2)
      assert.equal(
        both.items.map(({ id }) => id),
        ['old', 'new'],
      )
      await client.reviews.decide(old.items[0]!, { action: 'approve' })
      await until(inbox, ({ items }) => items.length === 1)
      gateway.cut()
      const meanwhile = reviewItem({ id: 'meanwhile', conversationId })
      gateway.reviews.push(meanwhile)
      const after = await until(inbox, ({ items }) => items.length === 2)
      assert.equal(
        after.items.map(({ id }) => id),
        ['new', 'meanwhile'],
      )
      inbox.fold([{ ...fresh, title: 'older news' }])
      assert.is(inbox.getSnapshot().items[0]!.title, fresh.title, 'the same revision is nothing new')
    } finally {
      inbox.close()
      client.close()
      await gateway.close()
    }
  })

  test('is not for customers, and says so', async () => {
    const gateway = await FakeGateway.start()
    const client = createClient({ url: gateway.url, token: CUSTOMER_TOKEN })
    const inbox = new Inbox({ reviews: client.reviews, connection: client.connection, swarm: client.watch() })
    try {
      const { error } = await until(inbox, (view) => view.error !== null)
      assert.is(error!.code, 'FORBIDDEN')
    } finally {
      inbox.close()
      client.close()
      await gateway.close()
    }
  })
})

suite('the form of a call', ({ test }) => {
  const schema = {
    properties: {
      cents: { type: 'integer', title: 'Amount' },
      why: { enum: ['late', 'broken'] },
      note: { type: 'string' },
      fast: { type: 'boolean' },
      lines: { type: 'array' },
    },
  }
  const proposal = { cents: 900, why: 'late', fast: true, lines: [1], other: { a: 1 } }

  test('gives back what was proposed when nothing is changed', () => {
    const fields = fieldsOf(schema, proposal)
    assert.equal(
      fields.map(({ name, kind, label }) => [name, kind, label]),
      [
        ['cents', 'number', 'Amount'],
        ['why', 'choice', 'why'],
        ['note', 'text', 'note'],
        ['fast', 'flag', 'fast'],
        ['lines', 'json', 'lines'],
        ['other', 'json', 'other'],
      ],
    )
    assert.equal(valuesOf(fields, {}), proposal)
  })

  test('gives values of their types, and says which field is wrong', () => {
    const fields = fieldsOf(schema, proposal)
    const texts = { cents: '500', note: 'x', fast: 'false', lines: '[2]' }
    assert.equal(valuesOf(fields, texts), { ...proposal, cents: 500, note: 'x', fast: false, lines: [2] })
    assert.throws(() => valuesOf(fields, { cents: 'much' }), /Amount is no number/)
    assert.throws(() => valuesOf(fields, { lines: '[' }), /lines is no JSON/)
  })
})
