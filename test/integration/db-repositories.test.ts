import type { TenantSql } from '#shared/actor/store.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import {
  agentById,
  agentVersions,
  listAgents,
  loadAgents,
  removeAgent,
  saveAgent,
} from '#shared/db/repositories/agents.ts'
import { apiKeyOwner, createApiKey, listApiKeys, revokeApiKey } from '#shared/db/repositories/api-keys.ts'
import { appendAudit, listAudit } from '#shared/db/repositories/audit.ts'
import {
  conversationById,
  createConversation,
  listConversations,
  setControl,
  setConversationState,
  setConversationTitle,
  touchConversation,
} from '#shared/db/repositories/conversations.ts'
import { decideDeadLetter, listDeadLetters, showDeadLetter } from '#shared/db/repositories/dead-letters.ts'
import { effectsInDoubt, effectsOfRun } from '#shared/db/repositories/effects.ts'
import { listGuardrails, loadGuardrails, removeGuardrail, saveGuardrail } from '#shared/db/repositories/guardrails.ts'
import {
  appendMessage,
  listMessages,
  messageByClientId,
  messageById,
  retractMessage,
  reviseMessage,
} from '#shared/db/repositories/messages.ts'
import { listRuns, runByKey } from '#shared/db/repositories/runs.ts'
import { activeTenant, configVersion, ownTenant, saveTenant, setTenantStatus } from '#shared/db/repositories/tenants.ts'
import { listTools, loadTools, removeTool, saveTool, toolById } from '#shared/db/repositories/tools.ts'
import { listUsers, saveUser, userById } from '#shared/db/repositories/users.ts'
import { newId } from '#shared/lib/ids.ts'
import { stepOf } from '#test/contract/store.contract.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { servers } from './db-servers.ts'
import type { OpenedDatabase } from './db-servers.ts'

for (const server of servers) {
  suite(`repositories on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    const as = <Result>(tenant: string, work: (sql: TenantSql) => Promise<Result>): Promise<Result> =>
      opened.database.tenant(tenant, work)
    const acme = <Result>(work: (sql: TenantSql) => Promise<Result>): Promise<Result> => as('acme', work)

    before(async () => {
      opened = await server.open()
      for (const tenant of ['acme', 'globex']) await as(tenant, (sql) => saveTenant(sql, { name: tenant }))
    })
    after(() => opened.close())

    test('tenants: are their own only, and can be disabled', async () => {
      await as('initech', async (sql) => {
        assert.is(await ownTenant(sql), null)
        assert.is(await codeOf(activeTenant(sql)), 'NOT_FOUND')
        await saveTenant(sql, { name: 'Initech', settings: { colour: 'grey', bad: 'a\0' } })
        await saveTenant(sql, { name: 'Initech Inc.' })
        const tenant = await activeTenant(sql)
        assert.equal(
          { name: tenant.name, settings: tenant.settings, status: tenant.status, version: tenant.configVersion },
          { name: 'Initech Inc.', settings: { colour: 'grey', bad: 'a\uFFFD' }, status: 'active', version: 1 },
        )
        assert.ok(Math.abs(tenant.createdAt - Date.now()) < 60_000, 'milliseconds')
        await setTenantStatus(sql, 'disabled')
        assert.is(await codeOf(activeTenant(sql)), 'TENANT_DISABLED')
      })
      const known = (await opened.database.tenants()).map((each) => each.tenant)
      assert.equal(known, ['acme', 'globex', 'initech'])
    })

    test('API keys: are found by the key alone, while key, user and tenant are good', async () => {
      const { id, key } = await acme(async (sql) => {
        await saveUser(sql, { id: 'u1', name: 'Ann', email: 'ann@example.com', roles: ['admin'] })
        return createApiKey(sql, { userId: 'u1', name: 'ci', roles: ['operator'], scopes: ['read', 'write'] })
      })
      assert.match(key, /^wag_[\w-]{43}$/)
      const owner = { tenant: 'acme', id, userId: 'u1', roles: ['operator'], scopes: ['read', 'write'] }
      assert.equal(await apiKeyOwner(opened.database, key), owner)
      assert.is(await apiKeyOwner(opened.database, `${key}x`), null)
      const [listed] = await acme(listApiKeys)
      assert.is(listed?.prefix, key.slice(0, 10))
      assert.ok(listed?.lastUsedAt, 'its use was noted')
      assert.not.match(JSON.stringify(listed), new RegExp(key))

      const { key: expired } = await acme((sql) =>
        createApiKey(sql, { userId: 'u1', name: 'old', expiresAt: Date.now() - 1 }),
      )
      assert.is(await apiKeyOwner(opened.database, expired), null)
      const { key: lasting } = await acme((sql) =>
        createApiKey(sql, { userId: 'u1', name: 'new', expiresAt: Date.now() + 60_000 }),
      )
      assert.is((await apiKeyOwner(opened.database, lasting))?.userId, 'u1')

      await acme((sql) => saveUser(sql, { id: 'u1', name: 'Ann', status: 'disabled' }))
      assert.is(await apiKeyOwner(opened.database, key), null, 'the user is disabled')
      await acme((sql) => saveUser(sql, { id: 'u1', name: 'Ann' }))
      await acme((sql) => setTenantStatus(sql, 'disabled'))
      assert.is(await apiKeyOwner(opened.database, key), null, 'the tenant is disabled')
      await acme((sql) => setTenantStatus(sql, 'active'))

      assert.is(await as('globex', (sql) => revokeApiKey(sql, id)), false)
      assert.is(await acme((sql) => revokeApiKey(sql, id)), true)
      assert.is(await acme((sql) => revokeApiKey(sql, id)), false)
      assert.is(await apiKeyOwner(opened.database, key), null, 'it was revoked')
    })

    test('users: have an e-mail address of their own within the tenant', async () => {
      await acme((sql) => saveUser(sql, { id: 'u7', name: 'Bob', email: 'Bob@example.com' }))
      const twice = acme((sql) => saveUser(sql, { id: 'u8', name: 'Bobby', email: 'bob@example.com' }))
      assert.is(await codeOf(twice), 'CONFLICT')
      await as('globex', (sql) => saveUser(sql, { id: 'u7', name: 'Bob', email: 'bob@example.com' }))
      assert.is((await acme((sql) => userById(sql, 'u7')))?.email, 'Bob@example.com')
      assert.equal(
        (await as('globex', listUsers)).map((user) => user.id),
        ['u7'],
      )
    })

    test('agents: are everything that was said of them, version by version, with their tools in order', async () => {
      const tenant = 'agents-of'
      await as(tenant, async (sql) => {
        await saveTenant(sql, { name: tenant })
        for (const id of ['t1', 't2', 't3']) await saveTool(sql, { id, title: id, description: 'd', kind: 'builtin' })
        const started = await configVersion(sql)
        const billing = { id: 'billing', title: 'Billing', description: 'Money', systemPrompt: 'Be kind.' }
        assert.is(
          await saveAgent(
            sql,
            { ...billing, tools: ['t3', 't1'], examples: ['my invoice'], position: 2 },
            { author: 'ann' },
          ),
          1,
        )
        const saved = await agentById(sql, 'billing')
        assert.equal(saved, {
          ...billing,
          examples: ['my invoice'],
          model: {},
          outputMode: 'gated',
          outputSchema: null,
          maxSteps: 8,
          limits: {},
          knowledge: {},
          position: 2,
          enabled: true,
          version: 1,
          tools: ['t3', 't1'],
        })
        const change = {
          ...billing,
          title: 'Bills',
          outputSchema: { type: 'object' },
          model: { provider: 'builtin', note: 'a\0' },
        }
        assert.is(await saveAgent(sql, change, { author: 'bob', expectedVersion: 1 }), 2)
        const changed = await agentById(sql, 'billing')
        assert.equal(changed?.tools, ['t3', 't1'], 'what was not given stays')
        assert.equal(changed?.model, { provider: 'builtin', note: 'a\uFFFD' })
        assert.is(await codeOf(saveAgent(sql, change, { author: 'eve', expectedVersion: 1 })), 'CONFLICT')
        await saveAgent(sql, { ...billing, tools: ['t2'], enabled: false }, { author: 'ann' })
        const versions = await agentVersions(sql, 'billing')
        assert.equal(
          versions.map((each) => [each.version, each.author, each.body.title, each.body.tools]),
          [
            [3, 'ann', 'Billing', ['t2']],
            [2, 'bob', 'Bills', ['t3', 't1']],
            [1, 'ann', 'Billing', ['t3', 't1']],
          ],
        )
        await saveAgent(sql, { ...billing, id: 'first', position: 0 }, { author: 'ann' })
        assert.equal(
          (await loadAgents(sql)).map((agent) => agent.id),
          ['first'],
        )
        assert.equal(
          (await listAgents(sql)).map((agent) => agent.id),
          ['first', 'billing'],
        )
        assert.is(await configVersion(sql), started + 4)
        await removeTool(sql, 't2')
        assert.equal((await agentById(sql, 'billing'))?.tools, [])
        assert.is(await removeAgent(sql, 'billing'), true)
        assert.is(await removeAgent(sql, 'billing'), false)
      })
      assert.is(await acme((sql) => agentById(sql, 'first')), null)
    })

    test('agents: refuse a tool that the tenant does not have', async () => {
      const agent = { id: 'x', title: 'x', description: 'x', systemPrompt: 'x' }
      await as('globex', (sql) => saveTool(sql, { id: 'theirs', title: 't', description: 'd', kind: 'builtin' }))
      const saved = acme((sql) => saveAgent(sql, { ...agent, tools: ['theirs'] }, { author: 'ann' }))
      assert.is(await codeOf(saved), 'INTERNAL')
      assert.is(await acme((sql) => agentById(sql, 'x')), null)
    })

    test('tools: are everything that was said of them', async () => {
      await acme(async (sql) => {
        const input = {
          id: 'lookup',
          title: 'Look up',
          description: 'Finds an order',
          kind: 'http_get' as const,
          parameters: { type: 'object', required: ['id'] },
          url: 'https://example.com/{id}',
          headers: { accept: 'application/json' },
          auth: 'user_token' as const,
          idempotent: true,
        }
        assert.is(await saveTool(sql, input), 1)
        assert.is(await saveTool(sql, { ...input, timeoutMs: 500 }, { expectedVersion: 1 }), 2)
        assert.is(await codeOf(saveTool(sql, input, { expectedVersion: 1 })), 'CONFLICT')
        assert.equal(await toolById(sql, 'lookup'), {
          ...input,
          examples: [],
          secretId: null,
          outputTemplate: '',
          timeoutMs: 500,
          maxResultBytes: 65_536,
          keyHeader: null,
          needsApproval: false,
          approval: {},
          trusted: false,
          enabled: true,
          version: 2,
        })
        await saveTool(sql, { ...input, id: 'off', enabled: false })
        assert.equal(
          (await loadTools(sql)).map((tool) => tool.id),
          ['lookup'],
        )
        assert.equal(
          (await listTools(sql)).map((tool) => tool.id),
          ['lookup', 'off'],
        )
      })
      const secretless = acme((sql) =>
        saveTool(sql, { id: 's', title: 's', description: 's', kind: 'http_get', auth: 'secret' }),
      )
      assert.is(await codeOf(secretless), 'INTERNAL', 'a secret must be named')
    })

    test('guardrails: come in the order in which they look, without those that are off', async () => {
      await acme(async (sql) => {
        const rule = { stage: 'output' as const, rule: 'pii', action: 'rewrite' as const }
        assert.is(await saveGuardrail(sql, { id: 'b', position: 2, ...rule, config: { kinds: ['email'] } }), 1)
        await saveGuardrail(sql, { id: 'a', position: 1, ...rule, stage: 'input' })
        await saveGuardrail(sql, { id: 'off', ...rule, enabled: false })
        assert.is(await saveGuardrail(sql, { id: 'b', ...rule, action: 'block' }), 2)
        const loaded = await loadGuardrails(sql)
        assert.equal(
          loaded.map((each) => [each.id, each.action, each.config, each.agentId]),
          [
            ['a', 'rewrite', {}, null],
            ['b', 'block', { kinds: ['email'] }, null],
          ],
        )
        assert.is((await listGuardrails(sql)).length, 3)
        assert.is(await removeGuardrail(sql, 'off'), true)
      })
    })

    test('conversations: open once, page by page, and hand the voice on by one number at a time', async () => {
      await as('globex', async (sql) => {
        const input = { userId: 'u1', channel: 'web' }
        assert.is(await createConversation(sql, { id: 'c0', ...input, title: 'zero \0' }), true)
        assert.is(await createConversation(sql, { id: 'c0', ...input }), false)
        assert.is((await conversationById(sql, 'c0'))?.title, 'zero \uFFFD')
        assert.is(await setControl(sql, 'c0', { owner: 'ann', mode: 'human', expected: 1 }), 2)
        assert.is(await codeOf(setControl(sql, 'c0', { owner: 'bot', mode: 'auto', expected: 1 })), 'STALE_CONTROL')
        assert.is(await setControl(sql, 'c0', { owner: 'bot', mode: 'auto' }), 3)
        assert.is(await codeOf(setControl(sql, 'none', { owner: 'x', mode: 'auto' })), 'NOT_FOUND')
        await setConversationTitle(sql, 'c0', 'Zero')
        await setConversationState(sql, 'c0', 'closed')
        const {
          createdAt: _,
          updatedAt: __,
          ...rest
        } = (await conversationById(sql, 'c0')) ?? { createdAt: 0, updatedAt: 0 }
        assert.equal(rest, {
          id: 'c0',
          userId: 'u1',
          channel: 'web',
          title: 'Zero',
          state: 'closed',
          owner: 'bot',
          mode: 'auto',
          controlEpoch: 3,
          assignedUser: null,
          assignedTeam: null,
          metadata: {},
        })
      })
      // In one transaction they have all the same time: the page must be cut by the id then.
      await as('pages', async (sql) => {
        await saveTenant(sql, { name: 'pages' })
        for (let n = 0; n < 25; n++) await createConversation(sql, { id: `c${n}`, userId: `u${n % 2}`, channel: 'web' })
      })
      await as('pages', (sql) => touchConversation(sql, 'c7'))
      const seen: string[] = []
      let after: { at: number; id: string } | undefined
      for (let page = 0; page < 10; page++) {
        const mark = after
        const rows = await as('pages', (sql) => listConversations(sql, { limit: 4, ...(mark ? { after: mark } : {}) }))
        seen.push(...rows.map((row) => row.id))
        const last = rows.at(-1)
        if (last === undefined) break
        after = { at: last.updatedAt, id: last.id }
      }
      assert.is(seen[0], 'c7')
      assert.is(new Set(seen).size, 25)
      assert.is(seen.length, 25)
      assert.is((await as('pages', (sql) => listConversations(sql, { userId: 'u1' }))).length, 12)
    })

    test('messages: are stored once by the client’s own id, and refused when that id says something else', async () => {
      await acme(async (sql) => {
        await createConversation(sql, { id: 'm', userId: 'u1', channel: 'web' })
        const input = {
          id: newId(),
          conversationId: 'm',
          role: 'user' as const,
          author: 'u1',
          principal: 'u1',
          clientId: 'client-1',
          content: 'hello \0 🐝',
          data: { citations: [], note: 'x\0' },
          at: 1_700_000_000_123,
        }
        const first = await appendMessage(sql, input)
        assert.is(first.fresh, true)
        assert.is(first.message.content, 'hello \uFFFD 🐝')
        assert.is(first.message.createdAt, 1_700_000_000_123)
        const again = await appendMessage(sql, { ...input, id: newId() })
        assert.equal(again, { message: first.message, fresh: false })
        assert.equal(await appendMessage(sql, { ...input, clientId: '', principal: '' }), {
          message: first.message,
          fresh: false,
        })
        assert.is(await codeOf(appendMessage(sql, { ...input, id: newId(), content: 'other' })), 'ID_REUSED')
        const other = await appendMessage(sql, { ...input, id: newId(), principal: 'u2', author: 'u2' })
        assert.is(other.fresh, true, 'the ids of two people do not meet')
        assert.equal(await messageByClientId(sql, 'm', 'u1', 'client-1'), first.message)
        assert.is(await messageByClientId(sql, 'm', 'u1', ''), null)
        assert.is(await messageByClientId(sql, 'elsewhere', 'u1', 'client-1'), null)
      })
    })

    test('messages: are a tree, in the order in which they came, newest page first', async () => {
      await acme(async (sql) => {
        await createConversation(sql, { id: 'tree', userId: 'u1', channel: 'web' })
        const say = (id: string, parentId: string | null) =>
          appendMessage(sql, { id, parentId, conversationId: 'tree', role: 'assistant', author: 'bot', content: id })
        for (let n = 0; n < 10; n++) await say(`t${n}`, n === 0 ? null : `t${Math.floor((n - 1) / 2)}`)
        assert.equal(
          (await listMessages(sql, 'tree')).map((each) => each.id),
          Array.from({ length: 10 }, (_, n) => `t${n}`),
        )
        const newest = await listMessages(sql, 'tree', { limit: 3 })
        assert.equal(
          newest.map((each) => each.id),
          ['t7', 't8', 't9'],
        )
        const before = await listMessages(sql, 'tree', { limit: 3, beforeSeq: newest[0]?.seq ?? 0 })
        assert.equal(
          before.map((each) => each.id),
          ['t4', 't5', 't6'],
        )
        assert.is((await messageById(sql, 't6'))?.parentId, 't2')

        const revised = await reviseMessage(sql, 't9', { content: 'better', data: { extractive: true } })
        assert.equal([revised?.content, revised?.revision, revised?.data], ['better', 2, { extractive: true }])
        assert.is(await reviseMessage(sql, 'none', { content: 'x' }), null)
        assert.is(await retractMessage(sql, 't9'), true)
        assert.is(await retractMessage(sql, 't9'), false)
        assert.is((await listMessages(sql, 'tree')).length, 9)
      })
      const foreign = as('globex', (sql) =>
        appendMessage(sql, { id: newId(), conversationId: 'tree', role: 'user', author: 'x', content: 'x' }),
      )
      assert.is(await codeOf(foreign), 'INTERNAL', 'there is no such conversation in that tenant')
    })

    test('runs, effects and dead letters: are the tenant’s to read, and a letter is decided once', async () => {
      const store = createStore(opened.database)
      const fence = { tenant: 'acme', kind: 'agent', partition: 0, epoch: await store.claim('agent', 0, 'node') }
      const start = (key: string) => ({
        change: 'start' as const,
        run: { kind: 'run', key, parentKind: 'agent', parentKey: 'a', deadline: 9, envelope: new Uint8Array([1]) },
      })
      await store.commit(fence, [stepOf('a', { runs: [start('c1--r1'), start('c2--r2')] })])
      const intent = { run: 'c1--r1', tool: 'refund', argsHash: 'h', repeatable: false }
      await store.intend(fence, { id: 'e1', ...intent })
      await store.intend(fence, { id: 'e2', ...intent })
      await store.settle(fence, 'e1', { status: 'done', result: { ok: true } })
      const letter = { tenant: 'acme', subject: 's', payload: new Uint8Array([0, 255]), code: 'CRASHED', message: 'm' }
      for (const id of ['l1', 'l2']) await store.bury({ id, ...letter, attempts: 1, history: [], trace: '', at: 5 })

      await acme(async (sql) => {
        assert.equal(
          (await listRuns(sql, { keyPrefix: 'c1--' })).map((run) => run.key),
          ['c1--r1'],
        )
        assert.is((await listRuns(sql, { state: 'done' })).length, 0)
        assert.is((await runByKey(sql, 'run', 'c2--r2'))?.state, 'running')
        assert.equal(
          (await effectsOfRun(sql, 'c1--r1')).map((each) => [each.id, each.status, each.result]),
          [
            ['e1', 'done', { ok: true }],
            ['e2', 'intended', null],
          ],
        )
        assert.equal(
          (await effectsInDoubt(sql)).map((each) => each.id),
          ['e2'],
        )
        assert.equal(
          (await listDeadLetters(sql)).map((each) => [each.id, each.bytes]),
          [
            ['l2', 2],
            ['l1', 2],
          ],
        )
        assert.equal((await showDeadLetter(sql, 'l1'))?.payload, new Uint8Array([0, 255]))
        const decision = { state: 'replayed' as const, by: 'ann', at: 7 }
        assert.is(await decideDeadLetter(sql, 'l1', decision), true)
        assert.is(await decideDeadLetter(sql, 'l1', decision), false)
        assert.equal(
          (await listDeadLetters(sql, { state: 'buried' })).map((each) => each.id),
          ['l2'],
        )
      })
      const rewritten = acme((sql) => sql.query(`update dead_letters set payload = '' where id = 'l2'`))
      assert.is(await codeOf(rewritten), 'INTERNAL', 'its bytes are not the tenant’s to change')
      await as('globex', async (sql) => {
        assert.equal([await listRuns(sql), await effectsInDoubt(sql), await listDeadLetters(sql)], [[], [], []])
        assert.is(await showDeadLetter(sql, 'l2'), null)
      })
    })

    test('audit: entries come newest first, page by page', async () => {
      for (let n = 0; n < 5; n++) {
        await acme((sql) =>
          appendAudit(sql, { principal: 'ann', action: 'agent.save', subject: `a${n}`, details: { n } }),
        )
      }
      const page = await acme((sql) => listAudit(sql, { action: 'agent.save', limit: 3 }))
      assert.equal(
        page.map((each) => each.subject),
        ['a4', 'a3', 'a2'],
      )
      const last = page.at(-1)
      const rest = await acme((sql) => listAudit(sql, { after: { at: last?.at ?? 0, id: last?.id ?? '' } }))
      assert.equal(
        rest.map((each) => each.details),
        [{ n: 1 }, { n: 0 }],
      )
    })
  })
}
