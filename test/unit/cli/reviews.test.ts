import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runCli } from '#gateway/cli/program.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { reviewItem } from '../client/made-review.ts'
import { FakeTerminal } from './fake-terminal.ts'

const ITEM = reviewItem({ quorum: 2, approvals: [{ by: 'olga', at: 1, args: null }] })

suite('waggle review', ({ test, before, after, beforeEach }) => {
  let server: Server
  let env: Record<string, string>
  let requests: { method: string; url: string; body: string }[] = []
  let late = false

  const answer = (method: string, url: string, body: string): [status: number, body: unknown] => {
    if (url.startsWith('/api/v1/reviews?')) return [200, { reviews: [ITEM], next: null }]
    if (url === '/api/v1/reviews/r1-1-0') return [200, { item: ITEM }]
    if (method === 'POST' && late)
      return [
        409,
        {
          error: {
            code: 'REVIEW_DECIDED',
            message: 'Somebody has decided.',
            action: 'Nothing.',
            details: { by: 'otto', decision: 'reject' },
          },
        },
      ]
    if (url.endsWith('/decision')) {
      const { decision } = JSON.parse(body) as { decision: { action: string } }
      return [200, { item: { ...ITEM, state: 'approved', decision: { decision, by: 'me', at: 2 } } }]
    }
    if (url.endsWith('/claim')) return [200, { item: { ...ITEM, claimedBy: 'me' } }]
    return [404, { error: { code: 'NOT_FOUND', message: 'There is no such thing.', action: 'Check the id.' } }]
  }

  before(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method = '', url = '' } = request
        requests.push({ method, url, body })
        const [status, value] = answer(method, url, body)
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    env = { WAGGLE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, WAGGLE_TOKEN: 'good' }
  })
  after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  beforeEach(() => {
    requests = []
    late = false
  })

  const run = async (args: readonly string[], input = ''): Promise<FakeTerminal & { code: number }> => {
    const terminal = new FakeTerminal({ env, input: Readable.from([input]) })
    return Object.assign(terminal, { code: await runCli(['review', ...args], terminal) })
  }
  const PATH = '/api/v1/conversations/c1/reviews/r1-1-0'

  test('lists what waits, with how far it is and what is late', async () => {
    const { code, stdout } = await run(['list', '--kind', 'tool_call', '--overdue'])
    assert.is(code, 0)
    assert.match(stdout, /^r1-1-0 {2}tool_call {5}open {2}Refund {2}1 of 2 approvals, overdue\n$/)
    assert.match(requests[0]!.url, /limit=50&state=open&kind=tool_call&dueBefore=\d+$/)
    await run(['list', '--all'])
    assert.is(requests[1]!.url, '/api/v1/reviews?limit=50')
  })

  test('shows one whole', async () => {
    const { stdout } = await run(['show', 'r1-1-0'])
    assert.match(stdout, /proposal\s+{\n\s+"cents": 900/)
    assert.match(stdout, /createdAt\s+2023-11-14T/)
  })

  test('decides about exactly what it has read', async () => {
    const { code, stdout } = await run(['approve', 'r1-1-0'])
    assert.is(code, 0)
    assert.match(stdout, /approved.*by me/)
    assert.equal(requests[1], {
      method: 'POST',
      url: `${PATH}/decision`,
      body: '{"nonce":"n1","argsHash":"h1","decision":{"action":"approve"}}',
    })
    await run(['reject', 'r1-1-0', '--reason', 'too old'])
    assert.match(requests[3]!.body, /{"action":"reject","reason":"too old"}/)
    await run(['answer', 'r1-1-0', '--text', 'yes'])
    assert.match(requests[5]!.body, /{"action":"answer","text":"yes"}/)
  })

  test('edits with all of the arguments, and only with an object', async () => {
    assert.is((await run(['edit', 'r1-1-0', '--args', '-'], '{"cents":500}')).code, 0)
    assert.match(requests[1]!.body, /{"action":"edit","args":{"cents":500},"reason":""}/)
    assert.is((await run(['edit', 'r1-1-0', '--args', '-'], '[1]')).code, 2)
    assert.is((await run(['edit', 'r1-1-0'])).code, 2)
    assert.is((await run(['reject', 'r1-1-0'])).code, 2)
    assert.is(requests.length, 2)
  })

  test('keeps an edit or an answer for the same question where it is told to', async () => {
    await run(['edit', 'r1-1-0', '--args', '-', '--curate'], '{"text":"Yes."}')
    assert.match(requests[1]!.body, /{"action":"edit","args":{"text":"Yes."},"reason":"","curate":true}/)
    await run(['answer', 'r1-1-0', '--text', 'yes', '--curate'])
    assert.match(requests[3]!.body, /{"action":"answer","text":"yes","curate":true}/)
  })

  test('claims and gives back', async () => {
    assert.match((await run(['claim', 'r1-1-0'])).stdout, /with me/)
    await run(['claim', 'r1-1-0', '--back'])
    assert.equal([requests[1]!.body, requests[3]!.body], ['{"claim":true}', '{"claim":false}'])
  })

  test('says who was quicker', async () => {
    late = true
    const { code, stderr } = await run(['approve', 'r1-1-0'])
    assert.is(code, 1)
    assert.match(stderr, /REVIEW_DECIDED: Somebody has decided\. \(otto: reject\)/)
  })
})
