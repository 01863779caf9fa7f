import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { Guardrail } from '#shared/contracts/guardrail.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { guardrailPool } from '#services/guardrails/guardrails.actor.ts'
import { assert, suite } from '#test/kit/suite.ts'

const masksEmail = {
  id: 'mail',
  agentId: null,
  stage: 'output',
  rule: 'email',
  config: {},
  action: 'rewrite',
  message: '',
  position: 0,
}
const ask = { stage: 'output', agent: 'billing', text: 'ada@example.com', tool: null, said: [], piece: false } as const

suite('guardrails actor', ({ test }) => {
  test('answers any tenant by its own rows', async () => {
    const kit = testSystem()
    const rows: Record<string, object[]> = { acme: [masksEmail], globex: [] }
    await kit.node('a', guardrailPool({ load: async (tenant) => rows[tenant] ?? [] }))
    const answer = (tenant: string) => kit.clock.settle(kit.reach(tenant).pool(Guardrail, 'output').ask('check', ask))
    assert.is((await answer('acme')).text, '[e-mail address]')
    assert.is((await answer('globex')).text, 'ada@example.com')
    await kit.close()
  })

  test('a source that fails is no pass', async () => {
    const kit = testSystem()
    const source = { load: () => Promise.reject(new WaggleError('DATABASE_DOWN')) }
    await kit.node('a', guardrailPool(source))
    const failure = await kit.clock.settle(kit.reach().pool(Guardrail, 'output').ask('check', ask)).then(
      () => null,
      (error: unknown) => error,
    )
    assert.ok(failure instanceof WaggleError && failure.code === 'DATABASE_DOWN')
    await kit.close()
  })
})
