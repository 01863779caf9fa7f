import { HumanMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { createReactAgent } from '@langchain/langgraph/prebuilt'
import { z } from 'zod'

import { createModel } from '#shared/models/port.ts'
import type { ChatModel } from '#shared/models/port.ts'
import { assert, suite } from '#test/kit/suite.ts'

/** LangGraph streams tokens only from models that stream the way it expects: both of ours that need no server do. */
suite('models inside LangGraph', ({ test }) => {
  const lookUp = tool(({ order_id }) => JSON.stringify({ order_id, status: 'shipped' }), {
    name: 'lookup_order_status',
    description: 'Look up the status of an order.',
    schema: z.object({ order_id: z.string().describe('The order number, e.g. 1042') }),
    extras: { template: 'Order {order_id} is {status}.' },
  })

  async function run(model: ChatModel): Promise<{ tokens: string[]; answer: string; steps: string[] }> {
    const agent = createReactAgent({ llm: model, tools: [lookUp] })
    const tokens: string[] = []
    const steps: string[] = []
    let answer = ''
    const stream = await agent.stream(
      { messages: [new HumanMessage('Where is my order 1042?')] },
      { streamMode: ['messages', 'values'] },
    )
    for await (const [mode, part] of stream) {
      if (mode === 'messages') {
        const message = part[0]
        if (message.getType() === 'ai' && message.text !== '') tokens.push(message.text)
      } else {
        const last = part.messages.at(-1)
        steps.push(last?.getType() ?? '')
        answer = last?.text ?? ''
      }
    }
    return { tokens, answer, steps }
  }

  test('builtin: a turn with a tool, streamed token by token', async () => {
    const { tokens, answer, steps } = await run(createModel({ provider: 'builtin', tenant: 'acme' }))
    assert.equal(steps, ['human', 'ai', 'tool', 'ai'])
    assert.is(answer, 'Order 1042 is shipped.')
    assert.ok(tokens.length > 2)
    assert.is(tokens.join(''), answer)
  })

  test('scripted: says what it was told, streamed token by token', async () => {
    const script = [
      { steps: [{ call: [{ name: 'lookup_order_status', args: { order_id: '1042' } }] }] },
      { steps: [{ say: ['It ', 'is ', 'shipped.'] }] },
    ]
    const { tokens, steps } = await run(
      createModel({ provider: 'scripted', model: 'told', tenant: 'acme' }, { script }),
    )
    assert.equal(steps, ['human', 'ai', 'tool', 'ai'])
    assert.equal(tokens, ['It ', 'is ', 'shipped.'])
  })
})
