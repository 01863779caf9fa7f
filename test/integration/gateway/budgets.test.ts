/** A turn that waits for more budget, raised from the edge: real services, a real gateway, by a socket and over REST. */
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { RaiseReceipt } from '#shared/contracts/client.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { openGateway, request } from '#test/kit/open-gateway.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'

const script: Script = () => ({ steps: [{ say: ['Hello.'] }] })
/** Less than one call of the model needs. */
const TOO_FEW = 100

suite('budgets at the edge', ({ test }) => {
  test('are raised by operators only, by a socket and over REST, and each is told what became of the turn', async () => {
    const swarm = await startSwarm({ script, agentLimits: { tokens: TOO_FEW, onSpent: 'ask' } })
    const gateway = await openGateway(swarm.nats.url, TENANT)
    try {
      const waiting = async (conversationId: string): Promise<string> => {
        const message = { clientId: 'm1', text: 'hello', agent: 'support', channel: 'test' }
        const accepted = await swarm.reach().ref(Supervisor, conversationId).confirm('send', message)
        await swarm.until(conversationId, ({ event }) => event.type === 'budget:spent')
        return (accepted as { turnId: string }).turnId
      }
      const outcomeOf = async (conversationId: string): Promise<string> => {
        const entries = await swarm.until(conversationId, ({ event }) => event.type === 'turn:ended')
        return (entries.find(({ event }) => event.type === 'turn:ended')!.event.payload as { outcome: string }).outcome
      }
      const rest = async (conversationId: string, user: string, roles: string[], body: object): Promise<Response> =>
        await fetch(new URL(`/api/v1/conversations/${conversationId}/budget`, gateway.url), {
          method: 'POST',
          headers: { authorization: `Bearer ${await gateway.token(user, roles)}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
      const olga = await gateway.client('olga', ['operator'])
      const ada = await gateway.client('ada', ['customer'])

      const first = { conversationId: 'c1', turnId: await waiting('c1'), tokens: 50_000 }
      const refused = await request(ada, 'budget:raise', first).catch((error: unknown) => error)
      assert.is((refused as { code?: string }).code, 'FORBIDDEN')
      assert.is((await rest('c1', 'ada', ['customer'], first)).status, 403)
      const little = RaiseReceipt.parse(await request(olga, 'budget:raise', { ...first, tokens: 1 }))
      assert.is(little.status, 'resumed', 'it may go on, and is stopped again where it still does not suffice')
      await swarm.until('c1', (_, entries) => entries.filter(({ event }) => event.type === 'budget:spent').length === 2)
      assert.is(RaiseReceipt.parse(await request(olga, 'budget:raise', first)).status, 'resumed')
      assert.is(await outcomeOf('c1'), 'answered')

      const second = { turnId: await waiting('c2'), tokens: 50_000 }
      const raised = await rest('c2', 'olga', ['operator'], second)
      assert.equal([raised.status, RaiseReceipt.parse(await raised.json()).status], [200, 'resumed'])
      assert.is(await outcomeOf('c2'), 'answered')
      assert.is((await rest('c2', 'olga', ['operator'], second)).status, 409, 'it does not wait any more')

      const third = await rest('c3', 'olga', ['operator'], { turnId: await waiting('c3'), granted: false })
      assert.equal([third.status, RaiseReceipt.parse(await third.json()).status], [200, 'ended'])
      assert.is(await outcomeOf('c3'), 'failed')
      assert.is((await rest('c3', 'olga', ['operator'], { turnId: 't', tokens: -1 })).status, 400)
    } finally {
      await gateway.close()
      await swarm.close()
    }
  })
})
