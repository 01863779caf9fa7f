import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { Tool } from '#shared/contracts/tool.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { guardedAgent } from '#shared/lib/outbound/guarded-agent.ts'
import type { ToolRow } from '#services/tools/tool-row.ts'
import { toolPool } from '#services/tools/tools.actor.ts'
import { assert, suite } from '#test/kit/suite.ts'

const escalate: ToolRow = {
  id: 'escalate_to_human',
  kind: 'builtin',
  parameters: { type: 'object', properties: { reason: { type: 'string' } } },
  url: '',
  headers: {},
  auth: 'none',
  secretId: null,
  outputTemplate: '',
  timeoutMs: 1_000,
  maxResultBytes: 1_000,
  idempotent: true,
  keyHeader: null,
  trusted: true,
}

suite('tools actor', ({ test }) => {
  test('answers by the rows of the tenant, and refuses with the codes of its contract', async () => {
    const kit = testSystem()
    const rules = { allow: [], ports: [80, 443] }
    const parts = {
      agent: guardedAgent(rules),
      rules,
      tools: {
        byName: async (tenant: string, name: string) => (tenant === 'acme' && name === escalate.id ? escalate : null),
      },
      openCredential: () => null,
      secrets: null,
    }
    await kit.node('a', toolPool(parts))
    const call = (tenant: string, tool: string, args: Record<string, unknown>) =>
      kit.clock.settle(
        kit
          .reach(tenant)
          .pool(Tool, tool.replaceAll('_', '-'))
          .ask('call', { tool, args, callId: 'c', idempotencyKey: 'k', conversationId: 'v' })
          .then(
            (answer) => answer.result,
            (error: unknown) => (error instanceof WaggleError ? error.code : error),
          ),
      )
    assert.equal(await call('acme', 'escalate_to_human', { reason: 'angry' }), { escalate: true, reason: 'angry' })
    assert.is(await call('acme', 'escalate_to_human', { reason: 1 }), 'TOOL_ARGS')
    assert.is(await call('acme', 'other', {}), 'NOT_FOUND')
    assert.is(await call('globex', 'escalate_to_human', {}), 'NOT_FOUND', 'another tenant has other tools')
    await parts.agent.close()
    await kit.close()
  })
})
