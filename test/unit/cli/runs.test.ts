import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { runCli } from '#gateway/cli/program.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { FakeTerminal } from './fake-terminal.ts'

const CHECKPOINT = { id: 'k1', parentId: null, at: '2026-11-23T00:00:00Z', superstep: 4, steps: 1, answer: '' }
const CALLS = [{ name: 'lookup', args: { id: '1' } }]
const RUN = {
  id: 'r1',
  conversationId: 'c1',
  turnId: 't1',
  agent: 'support',
  state: 'done',
  attempt: 1,
  createdAt: 1,
  updatedAt: 2,
  error: null,
}
const ANSWERS: Readonly<Record<string, unknown>> = {
  'GET /api/v1/runs/r1': RUN,
  'GET /api/v1/runs/r1/checkpoints': { checkpoints: [{ ...CHECKPOINT, messages: 3 }] },
  'GET /api/v1/runs/r1/checkpoints/k1': {
    ...CHECKPOINT,
    messages: [
      { role: 'human', text: 'Where is it?', calls: [] },
      { role: 'ai', text: '', calls: CALLS },
    ],
  },
  'POST /api/v1/conversations/c1/runs/r1/fork': { messageId: 'm1', turnId: 't2', status: 'accepted' },
}

suite('waggle runs', ({ test, before, after }) => {
  let server: Server
  let env: Record<string, string>
  const bodies: string[] = []

  before(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        if (body !== '') bodies.push(body)
        const answer = ANSWERS[`${request.method} ${request.url}`]
        const missing = { error: { code: 'NOT_FOUND', message: 'There is no such thing.', action: 'Check the id.' } }
        response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
        response.end(JSON.stringify(answer ?? missing))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    env = { WAGGLE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, WAGGLE_TOKEN: 'good' }
  })
  after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const run = async (...args: string[]): Promise<FakeTerminal & { code: number }> => {
    const terminal = new FakeTerminal({ env })
    return Object.assign(terminal, { code: await runCli(['runs', ...args], terminal) })
  }

  test('lists the checkpoints of a run', async () => {
    const { code, stdout } = await run('checkpoints', 'r1')
    assert.is(code, 0)
    assert.is(stdout, 'k1  2026-11-23T00:00:00Z  1 steps, 3 messages\n')
  })

  test('shows what the model was told by then, calls included', async () => {
    const { stdout } = await run('show', 'r1', 'k1')
    assert.is(stdout, 'human     Where is it?\nai        → lookup({"id":"1"})\n')
  })

  test('forks in the conversation of the run', async () => {
    const { code, stdout } = await run('fork', 'r1', 'k1')
    assert.is(code, 0)
    assert.match(stdout, /turn t2 of conversation c1/)
    assert.equal(bodies, ['{"checkpointId":"k1"}'])
  })

  test('says by name what is not there', async () => {
    const { code, stderr } = await run('show', 'r1', 'k9')
    assert.is.not(code, 0)
    assert.match(stderr, /NOT_FOUND/)
  })
})
