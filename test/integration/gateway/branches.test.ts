/** Branches and the past of runs at the edge: the same over Socket.IO and REST, for whom they are. */
import type { SendReceipt } from '#shared/contracts/client.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { GatewayWorld, ask, good } from './gateway-world.ts'
import type { Opened } from './gateway-world.ts'

suite('branches at the edge', ({ test }) => {
  test('over a socket, for whoever has the conversation; forks and checkpoints are for operators', async () => {
    const world = await GatewayWorld.open({})
    try {
      const gateway = await world.gateway()
      const ann = await world.clientOf(gateway, 'ann')
      const { conversationId } = await good<Opened>(ask(ann, 'conversation:open', {}))
      const message = { conversationId, id: 'm1', text: 'hello', whileRunning: 'enqueue' } as const
      const { messageId } = await good<SendReceipt>(ask(ann, 'message:send', message))
      const again = await good<SendReceipt>(ask(ann, 'message:regenerate', { conversationId, messageId, id: 'r1' }))
      assert.is(again.messageId, messageId)
      const selected = await good<{ leafId: string }>(ask(ann, 'branch:select', { conversationId, messageId }))
      assert.is(selected.leafId, messageId)
      const unheardOf = { whileRunning: 'shout' } as object
      const odd = await ask(ann, 'message:send', { conversationId, id: 'm2', text: 'x', ...unheardOf })
      assert.is(!odd.ok && odd.error.code, 'BAD_INPUT')
      for (const [event, request] of [
        ['run:checkpoints', { runId: 'r1' }],
        ['run:checkpoint', { runId: 'r1', checkpointId: 'k1' }],
        ['run:fork', { conversationId, runId: 'r1', checkpointId: 'k1' }],
      ] as const) {
        const answer = await ask(ann, event, request)
        assert.is(!answer.ok && answer.error.code, 'FORBIDDEN', event)
      }
      const mallory = await world.clientOf(gateway, 'mallory')
      for (const event of ['message:regenerate', 'branch:select'] as const) {
        const answer = await ask(mallory, event, { conversationId, messageId })
        assert.is(!answer.ok && answer.error.code, 'FORBIDDEN', event)
      }
    } finally {
      await world.close()
    }
  })

  test('over REST', async () => {
    const world = await GatewayWorld.open({})
    try {
      const { url } = await world.gateway()
      const call = async (token: string, path: string, body?: unknown): Promise<[number, Record<string, unknown>]> => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
        const how = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) }
        const response = await fetch(`${url}/api/v1/${path}`, how)
        return [response.status, (await response.json()) as Record<string, unknown>]
      }
      const ann = await world.token()
      const [, created] = await call(ann, 'conversations', {})
      const at = `conversations/${String(created['id'])}`
      const [sent, receipt] = await call(ann, `${at}/messages`, { id: 'm1', text: 'hello', whileRunning: 'steer' })
      assert.is(sent, 202)
      const messageId = String(receipt['messageId'])
      const [status, again] = await call(ann, `${at}/messages/${messageId}/regenerate`, {})
      assert.is(status, 202)
      assert.is(again['messageId'], messageId)
      assert.equal(await call(ann, `${at}/branch`, { messageId }), [200, { leafId: messageId }])
      assert.is((await call(ann, 'runs/r1/checkpoints'))[0], 403)
      const operator = await world.token('olga', ['operator'])
      const [listed, { checkpoints }] = await call(operator, 'runs/r1/checkpoints')
      assert.is(listed, 200)
      assert.is((checkpoints as unknown[]).length, 1)
      assert.is((await call(operator, 'runs/r1/checkpoints/k1'))[1]['id'], 'k1')
      assert.is((await call(operator, 'runs/r1/checkpoints/k2'))[0], 404)
      assert.is((await call(operator, `${at}/runs/r1/fork`, { checkpointId: 'k1' }))[0], 202)
    } finally {
      await world.close()
    }
  })
})
