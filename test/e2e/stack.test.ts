import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assert, suite } from '#test/kit/suite.ts'
import { startStackProcess } from '#test/kit/stack-process.ts'
import type { StackProcess } from '#test/kit/stack-process.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

async function api(
  stack: StackProcess,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, never> }> {
  const response = await fetch(`${stack.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {} }
}

async function ask(
  stack: StackProcess,
  text: string,
  conversationId?: string,
): Promise<{ outcome: string; text: string; conversationId: string }> {
  const { body } = await api(stack, '/api/v1/conversations', {
    message: { id: `m${Math.random().toString(36).slice(2)}`, text },
  })
  void conversationId
  const { id } = body as unknown as { id: string }
  for await (const entry of events(stack, id)) {
    if (entry.type === 'turn:ended') {
      const messages = (await api(stack, `/api/v1/conversations/${id}/messages`)).body as unknown as {
        messages: { role: string; text: string }[]
      }
      const answer = messages.messages.findLast((message) => message.role !== 'user')
      return { outcome: (entry.payload as { outcome: string }).outcome, text: answer?.text ?? '', conversationId: id }
    }
  }
  throw new Error('the event stream ended before the turn')
}

/** The public log over SSE, from the beginning or after a cursor. */
async function* events(
  stack: StackProcess,
  conversation: string,
  after?: string,
): AsyncGenerator<{ cursor: string; type: string; payload: unknown }> {
  const controller = new AbortController()
  const response = await fetch(`${stack.url}/api/v1/conversations/${conversation}/events`, {
    headers: { authorization: `Bearer ${stack.token}`, ...(after === undefined ? {} : { 'last-event-id': after }) },
    signal: controller.signal,
  })
  assert.is(response.status, 200)
  let buffer = ''
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      buffer += chunk
      for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
        const frame = buffer.slice(0, end)
        buffer = buffer.slice(end + 2)
        const data = /^data: (.*)$/m.exec(frame)?.[1]
        const id = /^id: (.*)$/m.exec(frame)?.[1] ?? ''
        if (data === undefined) continue
        const parsed = JSON.parse(data) as { type?: string; payload?: unknown; turns?: unknown[]; messages?: unknown[] }
        if (frame.includes('event: snapshot')) {
          // A turn that ended before we came is in the snapshot.
          if (parsed.turns?.length === 0 && (parsed.messages?.length ?? 0) > 1)
            yield { cursor: id, type: 'turn:ended', payload: { outcome: 'answered' } }
          continue
        }
        yield { cursor: id, type: parsed.type ?? '', payload: parsed.payload }
      }
    }
  } finally {
    controller.abort()
  }
}

suite('the embedded stack', ({ test }) => {
  test(
    'answers the demo question over REST, keeps its state over a restart, and ends in good order',
    async () => {
      const first = await startStackProcess()
      const { outcome, text, conversationId } = await ask(first, 'Where is my order 1042?')
      assert.is(outcome, 'answered')
      assert.match(text, /1042/)
      assert.is(await first.stop(), 0)
      const second = await startStackProcess({ state: first.state })
      const { body } = await api(second, `/api/v1/conversations/${conversationId}/messages`)
      assert.is((body as unknown as { messages: { text: string }[] }).messages.at(-1)?.text, text)
      const again = await ask(second, 'Where is my order 1042?')
      assert.is(again.text, text)
      assert.is(await second.stop(), 0)
    },
    { deadlineMs: 120_000 },
  )

  test(
    'is up after a kill -9, with what was accepted before, and ends the broker that was left alone',
    async () => {
      const first = await startStackProcess()
      const { conversationId } = await ask(first, 'Where is my order 1042?')
      const refused = await startStackProcess({ state: first.state }).then(
        () => 'it came up',
        (error: unknown) => String(error),
      )
      assert.match(refused, `ALREADY_RUNNING Waggle runs already with this state folder. It is process ${first.pid}.`)
      process.kill(first.pid, 'SIGKILL')
      await first.stop()
      const note = await readFile(join(first.state, 'processes', 'nats-server.json'), 'utf8')
      const { pid } = JSON.parse(note) as { pid: number }
      process.kill(pid, 0)
      const second = await startStackProcess({ state: first.state })
      assert.throws(() => process.kill(pid, 0), /ESRCH/)
      const { status } = await api(second, `/api/v1/conversations/${conversationId}`)
      assert.is(status, 200)
      assert.is((await ask(second, 'Where is my order 1042?')).outcome, 'answered')
      assert.is(await second.stop(), 0)
    },
    { deadlineMs: 150_000 },
  )

  test(
    'runs each role as its own process, and the command line asks it',
    async () => {
      const stack = await startStackProcess({ args: ['--processes'] })
      const { stdout } = await run(
        process.execPath,
        [
          join(ROOT, 'gateway/cli/waggle.mjs'),
          'ask',
          'Where is my order 1042?',
          '--url',
          stack.url,
          '--token',
          stack.token,
        ],
        { cwd: ROOT },
      )
      assert.match(stdout, /1042/)
      assert.is(await stack.stop(), 0)
    },
    { deadlineMs: 150_000 },
  )

  test(
    'says coded errors, shows its documentation, and lets nobody in without a token',
    async () => {
      const stack = await startStackProcess()
      const refused = await fetch(`${stack.url}/api/v1/agents`)
      assert.is(refused.status, 401)
      assert.is(((await refused.json()) as { error: { code: string } }).error.code, 'UNAUTHENTICATED')
      const bad = await api(stack, '/api/v1/conversations/c1/messages', { id: 'x y', text: '' })
      assert.is(bad.status, 400)
      assert.is((bad.body as unknown as { error: { code: string } }).error.code, 'BAD_INPUT')
      const missing = await api(stack, '/api/v1/conversations/nobody-has-this')
      assert.is(missing.status, 404)
      const document = await api(stack, '/api/v1/openapi.json')
      assert.is((document.body as unknown as { openapi: string }).openapi, '3.1.0')
      for (const path of ['/healthz', '/readyz', '/metrics', '/docs/static/index.html', '/'])
        assert.is((await fetch(`${stack.url}${path}`)).status, 200, path)
      assert.is(await stack.stop(), 0)
    },
    { deadlineMs: 90_000 },
  )
})

suite('image and compose file', ({ test }) => {
  test('every service that is ours starts an entry that exists, with variables that are known', async () => {
    const { parse } = await import('yaml')
    const compose = parse(await readFile(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
      services: Record<string, { command?: string[]; image: string; environment?: Record<string, string> }>
    }
    const { VARIABLES } = await import('#shared/config/variables.ts')
    const ours = Object.entries(compose.services).filter(([, service]) => service.image === 'waggle')
    assert.equal(ours.map(([name]) => name).toSorted(), [
      'agents',
      'desk',
      'directory',
      'gateway',
      'guardrails',
      'knowledge',
      'supervisor',
      'tools',
    ])
    for (const [name, service] of ours) {
      await readFile(join(ROOT, service.command![0]!), 'utf8')
      for (const variable of Object.keys(service.environment ?? {}))
        assert.ok(variable in VARIABLES, `${variable} of ${name}`)
    }
    const dockerfile = await readFile(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8')
    assert.match(dockerfile, /CMD \["gateway\/main\.ts"\]/)
  })
})
