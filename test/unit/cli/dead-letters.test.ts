import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { runCli } from '#gateway/cli/program.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { FakeTerminal } from './fake-terminal.ts'

const LETTER = {
  id: 'l1',
  subject: 't.demo.cmd.1.agent.c1',
  kind: 'agent',
  code: 'UNDECODABLE',
  message: 'It cannot be read.',
  attempts: 3,
  at: 1_700_000_000_000,
  state: 'buried',
}

const FAILED = { letter: 'l2', code: 'BAD_INPUT', reason: 'It cannot be read.' }

suite('waggle dlq', ({ test, before, after, beforeEach }) => {
  let server: Server
  let folder: string
  let env: Record<string, string>
  let requests: { method: string; url: string; authorization: string | undefined; body: string }[] = []

  const answer = (request: IncomingMessage): [status: number, body: unknown] => {
    const path = request.url ?? ''
    if (request.headers.authorization !== 'Bearer good')
      return [401, { code: 'UNAUTHENTICATED', message: 'No.', action: 'Sign in.' }]
    if (path.startsWith('/api/v1/dead-letters?')) return [200, { letters: [LETTER], next: 'l0' }]
    if (path === '/api/v1/dead-letters/l1')
      return [200, { ...LETTER, payload: { a: 1 }, history: [], trace: '00-x', bytes: '' }]
    if (path === '/api/v1/dead-letters/l1/replay') return [200, { id: 'cmd9' }]
    if (path === '/api/v1/dead-letters/l1/discard') return [200, {}]
    if (path === '/api/v1/dead-letters/replay')
      return [200, { replayed: [{ letter: 'l1', id: 'cmd9' }], failed: [FAILED], left: true }]
    if (path === '/api/v1/dead-letters/discard') return [200, { discarded: 7, left: false }]
    if (path === '/api/v1/dead-letters/purge') return [200, { purged: 3, left: false }]
    if (path === '/api/v1/dead-letters/odd') return [200, { surprise: true }]
    return [404, { error: { code: 'NOT_FOUND', message: 'There is no such thing.', action: 'Check the id.' } }]
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waggle-dlq-'))
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method = '', url = '', headers } = request
        requests.push({ method, url, authorization: headers.authorization, body })
        const [status, value] = answer(request)
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    env = { WAGGLE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, WAGGLE_TOKEN: 'good' }
  })
  after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    requests = []
  })

  const run = async (...args: string[]): Promise<FakeTerminal & { code: number }> => {
    const terminal = new FakeTerminal({ env })
    return Object.assign(terminal, { code: await runCli(['dlq', ...args], terminal) })
  }

  test('lists what could not be handled, and where the next page begins', async () => {
    const { code, stdout, stderr } = await run('list', '--limit', '5')
    assert.is(code, 0)
    assert.match(stdout, /^l1 .*UNDECODABLE .*t\.demo\.cmd\.1\.agent\.c1 {2}It cannot be read\.\n$/)
    assert.match(stderr, /--after l0/)
    assert.is(requests[0]?.url, '/api/v1/dead-letters?limit=5')
  })

  test('shows one with all that is known of it', async () => {
    const { code, stdout } = await run('show', 'l1')
    assert.is(code, 0)
    assert.match(stdout, /payload\s+{\n\s+"a": 1/)
    assert.match(stdout, /at\s+2023-11-14T/)
    const json = await run('show', 'l1', '--json')
    assert.equal((JSON.parse(json.stdout) as { payload: unknown }).payload, { a: 1 })
  })

  test('replays one as it is, or with another payload', async () => {
    assert.is((await run('replay', 'l1')).code, 0)
    assert.equal([requests[0]?.method, requests[0]?.body], ['POST', '{}'])
    const file = join(folder, 'fixed.json')
    await writeFile(file, '{"a":2}')
    const { stdout } = await run('replay', 'l1', '--payload', file)
    assert.is(stdout, 'sent again as cmd9\n')
    assert.is(requests[1]?.body, '{"payload":{"a":2}}')
  })

  test('does not send a payload that is no JSON or is not there', async () => {
    const file = join(folder, 'broken.json')
    await writeFile(file, '{')
    assert.is((await run('replay', 'l1', '--payload', file)).code, 2)
    assert.is((await run('replay', 'l1', '--payload', join(folder, 'nowhere'))).code, 2)
    assert.is(requests.length, 0)
  })

  test('replays and discards those that a filter names, and says which could not be sent', async () => {
    const sent = Date.now()
    const replayed = await run('replay', '--code', 'GAVE_UP', '--kind', 'agent', '--since', '2d')
    assert.is(replayed.code, 1, 'some could not be sent')
    assert.match(replayed.stdout, /1 sent again; there are more/)
    assert.match(replayed.stderr, /l2 {2}BAD_INPUT: It cannot be read\./)
    const { since, ...rest } = JSON.parse(requests[0]!.body) as { since: number }
    assert.equal([requests[0]!.url, rest], ['/api/v1/dead-letters/replay', { code: 'GAVE_UP', kind: 'agent' }])
    assert.ok(Math.abs(sent - 2 * 86_400_000 - since) < 60_000)
    assert.is((await run('discard', '--all')).stdout, '7 discarded\n')
    assert.is((await run('discard', 'l1')).stdout, 'discarded\n')
    assert.equal(
      requests.slice(1).map(({ url, body }) => [url, body]),
      [
        ['/api/v1/dead-letters/discard', '{}'],
        ['/api/v1/dead-letters/l1/discard', '{}'],
      ],
    )
  })

  test('decides about nothing by an omission, nor about many with one payload', async () => {
    for (const args of [['replay'], ['discard'], ['replay', 'l1', '--all'], ['discard', 'l1', '--code', 'X']])
      assert.is((await run(...args)).code, 2, args.join(' '))
    assert.is((await run('replay', '--all', '--edit', 'x.json')).code, 2)
    assert.is((await run('purge')).code, 2)
    assert.is(requests.length, 0)
  })

  test('purges what is older than it is told', async () => {
    assert.is((await run('purge', '--older', '30d')).stdout, '3 removed\n')
    const { before, undecided } = JSON.parse(requests[0]!.body) as { before: number; undecided: boolean }
    assert.is(undecided, false)
    assert.ok(Math.abs(Date.now() - 30 * 86_400_000 - before) < 60_000)
  })

  test('lists by filter', async () => {
    await run('list', '--code', 'GAVE_UP', '--state', 'replayed')
    assert.is(requests[0]?.url, '/api/v1/dead-letters?limit=50&state=replayed&code=GAVE_UP')
  })

  test('passes on what the gateway says is wrong, with what to do', async () => {
    const missing = await run('show', 'l2')
    assert.is(missing.code, 1)
    assert.match(missing.stderr, /NOT_FOUND: There is no such thing\.\n\s+→ Check the id\./)
    env = { ...env, WAGGLE_TOKEN: 'bad' }
    assert.is((await run('list')).code, 4)
    env = { ...env, WAGGLE_TOKEN: 'good' }
    const odd = await run('show', 'odd')
    assert.is(odd.code, 1)
    assert.match(odd.stderr, /same version/)
  })

  test('cannot be led out of its path by an id', async () => {
    await run('show', '../conversations/c1')
    assert.is(requests[0]?.url, '/api/v1/dead-letters/..%2Fconversations%2Fc1')
  })
})
