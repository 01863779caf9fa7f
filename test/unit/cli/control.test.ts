import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { runCli } from '#gateway/cli/program.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { FakeTerminal } from './fake-terminal.ts'

suite('waggle take, release, reply, note', ({ test, before, after, beforeEach }) => {
  let server: Server
  let env: Record<string, string>
  let requests: { url: string; body: Record<string, unknown> }[] = []

  before(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const url = request.url ?? ''
        requests.push({ url, body: JSON.parse(body) as Record<string, unknown> })
        const [status, answer] = url.includes('/taken/')
          ? [409, { code: 'CONTROL_TAKEN', message: 'A person has it.', action: 'Ask.', details: { owner: 'omar' } }]
          : url.endsWith('/control')
            ? [200, { owner: 'olga', mode: 'human', control: 2 }]
            : url.endsWith('/replies')
              ? [201, { messageId: 'm1' }]
              : [201, { noteId: 'n1' }]
        response.writeHead(status as number, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
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
  })

  const run = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const terminal = new FakeTerminal({ env })
    const code = await runCli(args, terminal)
    return { code, out: terminal.stdout, err: terminal.stderr }
  }

  test('say who has the voice, and what was kept', async () => {
    assert.is((await run('take', 'c1')).out, 'olga has the voice (epoch 2)\n')
    assert.is((await run('reply', 'c1', 'On', 'its', 'way.')).out, 'said as m1\n')
    assert.is((await run('note', 'c1', '--whisper', 'Be brief.')).out, 'kept as n1\n')
    assert.is((await run('release', 'c1', '--learned', 'She waits.', '--json')).code, 0)
    assert.equal(
      requests.map(({ url }) => url.replace('/api/v1/conversations/c1/', '')),
      ['control', 'replies', 'notes', 'control'],
    )
    assert.equal([requests[0]?.body['action'], requests[1]?.body['text']], ['take', 'On its way.'])
    assert.equal([requests[2]?.body['kind'], requests[3]?.body['learned']], ['whisper', 'She waits.'])
  })

  test('a refusal says why, and is no success', async () => {
    const { code, err } = await run('take', 'taken')
    assert.is.not(code, 0)
    assert.ok(err.includes('CONTROL_TAKEN'))
  })
})
