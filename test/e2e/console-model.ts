/**
 * A hosted model that answers at the test's pace: chat completions as server-sent events. It hands an order question to
 * the general agent, calls its order tool, and then says the answer word by word.
 */
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { StepPace } from './console-pace.ts'

interface ModelRequest {
  readonly messages: readonly { readonly role: string }[]
  readonly tools?: readonly { readonly function: { readonly name: string } }[]
}

export interface PacedModel {
  readonly url: string
  readonly close: () => Promise<void>
}

export async function startPacedModel(answer: string, pace: StepPace): Promise<PacedModel> {
  let requests = 0
  const server = createServer((request, response) => {
    requests += 1
    const who = `request ${requests}`
    response.on('close', () => pace.stop(who))
    void json(request).then((body) => reply(body as ModelRequest, response, answer, () => pace.step(who)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function reply(
  { messages, tools = [] }: ModelRequest,
  response: ServerResponse,
  answer: string,
  step: () => Promise<boolean>,
): Promise<void> {
  const say = (delta: object, finish: string | null = null): void => {
    const choices = [{ index: 0, delta, finish_reason: finish }]
    const chunk = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'paced', choices }
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  const call = (name: string, args: object): void => {
    say({
      tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name, arguments: JSON.stringify(args) } }],
    })
    say({}, 'tool_calls')
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  say({ role: 'assistant', content: '' })
  const names = tools.map((tool) => tool.function.name)
  if (names.includes('transfer_to_general')) call('transfer_to_general', {})
  else if (names.includes('lookup_order_status') && messages.at(-1)?.role !== 'tool')
    call('lookup_order_status', { order_id: '1042' })
  else {
    for (const word of answer.match(/\S+\s*/g) ?? []) {
      if (!(await step())) return void response.destroy()
      say({ content: word })
    }
    say({}, 'stop')
  }
  response.end('data: [DONE]\n\n')
}
