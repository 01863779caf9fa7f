import type { TenantSql } from '#shared/actor/store.ts'
import { createConversation } from '#shared/db/repositories/conversations.ts'
import { addFeedback, listFeedback } from '#shared/db/repositories/feedback.ts'
import { insertReview, listReviews, openReviews, reviewById, updateReview } from '#shared/db/repositories/reviews.ts'
import type { StoredReview } from '#shared/db/repositories/reviews.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { reviewItem } from '#test/unit/client/made-review.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { servers } from './db-servers.ts'
import type { OpenedDatabase } from './db-servers.ts'

for (const server of servers) {
  suite(`review items on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    const as = <Result>(tenant: string, work: (sql: TenantSql) => Promise<Result>): Promise<Result> =>
      opened.database.tenant(tenant, work)
    const stored = (change: Parameters<typeof reviewItem>[0]): StoredReview => ({
      item: reviewItem(change),
      origin: { kind: 'agent', key: ['c1', 'billing'] },
      escalateTo: ['leads'],
      expiresAfterMs: 1_000,
    })

    const refused = (promise: Promise<unknown>): Promise<boolean> =>
      promise.then(
        () => false,
        () => true,
      )

    before(async () => {
      opened = await server.open()
      for (const tenant of ['acme', 'globex'])
        await as(tenant, async (sql) => {
          await saveTenant(sql, { name: tenant })
          for (const id of ['c1', 'c2']) await createConversation(sql, { id, userId: 'ada', channel: 'test' })
        })
    })
    after(() => opened.close())

    test('are kept to the last character, once, and for their tenant only', async () => {
      const one = stored({ id: 'one', proposal: { z: 'a\0b', a: ['\ud800', 1.5, null] }, schema: { type: 'object' } })
      await as('acme', async (sql) => {
        assert.ok(await insertReview(sql, one))
        assert.not(await insertReview(sql, { ...one, item: { ...one.item, title: 'Another' } }), 'the same id')
        assert.equal(await reviewById(sql, 'one'), one)
        assert.equal(Object.keys((await reviewById(sql, 'one'))!.item.proposal), ['z', 'a'])
      })
      await as('globex', async (sql) => {
        assert.is(await reviewById(sql, 'one'), null)
        assert.equal(await listReviews(sql), [])
        assert.ok(await insertReview(sql, one), 'another tenant may have the same id')
      })
    })

    test('change as a whole, and are listed by what is asked for, page by page', async () => {
      await as('acme', async (sql) => {
        for (const [index, team] of ['', 'leads', 'leads'].entries())
          await insertReview(
            sql,
            stored({ id: `n${index}`, conversationId: 'c2', team, createdAt: 2_000 + index, dueAt: 5_000 + index }),
          )
        const last = (await reviewById(sql, 'n2'))!
        const decision = { decision: { action: 'reject', reason: 'no' }, by: 'olga', at: 9 } as const
        const item = { ...last.item, state: 'rejected', decision, revision: 2, proposal: { cents: 1 } } as const
        await updateReview(sql, { ...last, item, escalateTo: [] })
        assert.equal(await reviewById(sql, 'n2'), { ...last, item, escalateTo: [] })
        const ids = async (filter: Parameters<typeof listReviews>[1]): Promise<string[]> =>
          (await listReviews(sql, { conversationId: 'c2', ...filter })).map(({ id }) => id)
        assert.equal(await ids({}), ['n2', 'n1', 'n0'])
        assert.equal(await ids({ state: 'open' }), ['n1', 'n0'])
        assert.equal(await ids({ team: 'leads' }), ['n2', 'n1'])
        assert.equal(await ids({ dueBefore: 5_001 }), ['n0'])
        assert.equal(await ids({ kind: 'question' }), [])
        assert.equal(await ids({ limit: 1, after: { at: 2_002, id: 'n2' } }), ['n1'])
        assert.equal(
          (await openReviews(sql, 'c2')).map((one) => one.item.id),
          ['n0', 'n1'],
        )
      })
    })

    test('leave what they taught, which nobody changes', async () => {
      const lesson = {
        id: 'f1',
        itemId: 'one',
        conversationId: 'c1',
        runId: 'r1',
        agent: 'billing',
        kind: 'tool_call',
        tool: 'refund',
        label: 'edited',
        proposed: { cents: 900 },
        decided: { cents: 1 },
        reason: 'less',
        decidedBy: 'olga',
        at: 7,
      } as const
      await as('acme', async (sql) => {
        await addFeedback(sql, lesson)
        await addFeedback(sql, { ...lesson, reason: 'again' })
        assert.equal(await listFeedback(sql, { agent: 'billing', label: 'edited' }), [lesson])
        assert.equal(await listFeedback(sql, { label: 'rejected' }), [])
      })
      for (const statement of ["update feedback set reason = ''", 'delete from feedback', 'delete from review_items'])
        assert.ok(await refused(as('acme', (sql) => sql.query(statement))), statement)
      assert.equal(await as('globex', (sql) => listFeedback(sql)), [])
    })
  })
}
