/** What has outlived its term is let go, by the terms of its tenant, and nothing else is. */
import { DEFAULT_TERMS } from '#shared/actor/limits.ts'
import type { DeadLetter } from '#shared/actor/store.ts'
import { appendAudit, listAudit } from '#shared/db/repositories/audit.ts'
import { createConversation } from '#shared/db/repositories/conversations.ts'
import { decideDeadLetter, listDeadLetters } from '#shared/db/repositories/dead-letters.ts'
import { appendMessage, listMessages } from '#shared/db/repositories/messages.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { stepOf } from '#test/contract/store.contract.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { servers } from './db-servers.ts'
import type { OpenedDatabase } from './db-servers.ts'

const HOUR_MS = 3_600_000
const TERMS = {
  ...DEFAULT_TERMS,
  lettersMs: HOUR_MS,
  undecidedLettersMs: 10 * HOUR_MS,
  runsMs: HOUR_MS,
  auditMs: HOUR_MS,
}

for (const server of servers) {
  suite(`retention on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    before(async () => {
      opened = await server.open()
    })
    after(() => opened.close())

    const letter = (id: string, tenant: string, at: number): DeadLetter => ({
      id,
      tenant,
      subject: tenant === '-' ? 'odd' : `t.${tenant}.cmd.1.agent.c1`,
      payload: new Uint8Array([1]),
      code: 'GAVE_UP',
      message: 'x',
      attempts: 1,
      history: [],
      trace: '',
      at,
    })

    test('letters by whether somebody decided, of each tenant by its own term', async () => {
      const store = createStore(opened.database)
      const now = Date.now()
      for (const tenant of ['acme', 'globex', 'odd'])
        await opened.database.tenant(tenant, (sql) => {
          const retention = tenant === 'globex' ? { lettersMs: 100 * HOUR_MS } : { lettersMs: 'soon' }
          return saveTenant(sql, { name: tenant, settings: tenant === 'acme' ? {} : { retention } })
        })
      for (const tenant of ['acme', 'globex', 'odd']) {
        for (const id of ['decided', 'waiting', 'young'])
          await store.bury(letter(id, tenant, id === 'young' ? now : now - 2 * HOUR_MS))
        await opened.database.tenant(tenant, (sql) =>
          decideDeadLetter(sql, 'decided', { state: 'discarded', by: 'olga', at: now }),
        )
      }
      await store.bury(letter('nobody', '-', now - 20 * HOUR_MS))
      const gone = await store.retire(now, TERMS)
      assert.equal([gone.letters, gone.undecidedLetters], [2, 1], 'acme and odd by default; globex keeps its own')
      const left = (tenant: string): Promise<string[]> =>
        opened.database.tenant(tenant, async (sql) => (await listDeadLetters(sql, {})).map(({ id }) => id).toSorted())
      assert.equal(await left('acme'), ['waiting', 'young'])
      assert.equal(await left('globex'), ['decided', 'waiting', 'young'])
      assert.is((await store.retire(now + 9 * HOUR_MS, TERMS)).undecidedLetters, 3)
    })

    test('runs that are over, audit entries, and messages of closed conversations where a tenant wants it', async () => {
      const { database } = opened
      const store = createStore(database)
      const epoch = await store.claim('agent', 0, 'node')
      const fence = { tenant: 'acme', kind: 'agent', partition: 0, epoch }
      const envelope = new Uint8Array([1])
      const start = (key: string) => ({
        change: 'start' as const,
        run: { kind: 'run', key, parentKind: 'agent', parentKey: 'a', deadline: 9, envelope },
      })
      await store.commit(fence, [stepOf('a', { runs: [start('c1--over'), start('c1--works')] })])
      const over = { attempt: 1, restarts: [], result: null, error: null }
      await store.commit(fence, [
        stepOf('a', { runs: [{ change: 'update', kind: 'run', key: 'c1--over', state: 'done', ...over }] }),
      ])
      const effect = { id: 'e1', run: 'run/c1--over', tool: 'refund', argsHash: 'h', repeatable: false }
      await store.intend(fence, effect)
      await database.tenant('acme', async (sql) => {
        await saveTenant(sql, { name: 'acme', settings: { retention: { messagesMs: HOUR_MS } } })
        await appendAudit(sql, { principal: 'olga', action: 'letter.discarded', subject: 'l1' })
        for (const id of ['open', 'closed']) {
          await createConversation(sql, { id, userId: 'ann', channel: 'web' })
          const message = { conversationId: id, role: 'user', author: 'ann', content: 'x' } as const
          await appendMessage(sql, { id: `${id}-1`, ...message })
          await appendMessage(sql, { id: `${id}-2`, ...message, parentId: `${id}-1` })
        }
        await sql.query(`update conversations set state = 'closed' where tenant = $1 and id = 'closed'`, [sql.tenant])
      })
      const now = Date.now()
      const early = await store.retire(now, TERMS)
      assert.equal([early.runs, early.audit, early.messages], [0, 0, 0])
      const late = await store.retire(now + 2 * HOUR_MS, TERMS)
      assert.equal([late.runs, late.audit, late.messages], [1, 1, 2])
      assert.is(await store.run('acme', 'run', 'c1--over'), null)
      assert.is((await store.run('acme', 'run', 'c1--works'))?.state, 'running')
      await database.tenant('acme', async (sql) => {
        assert.is((await listAudit(sql)).length, 0)
        assert.is((await listMessages(sql, 'open')).length, 2)
        assert.is((await listMessages(sql, 'closed')).length, 0)
      })
      const again = await store.intend(fence, effect)
      assert.is(again.fresh, true, 'the effects of the run went with it')
    })
  })
}
