import { connect } from 'node:net'
import { once } from 'node:events'
import { CATALOGUE } from '#shared/errors/catalogue.ts'
import type { z } from 'zod'
import type { ExecuteResult, LogEntry, Snapshot } from '#shared/contracts/client.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { API_KEY, GatewayWorld } from './gateway-world.ts'
import type { WorldOptions } from './gateway-world.ts'
import { SseClient } from './sse-client.ts'
import type { SseEvent } from './sse-client.ts'

interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
  readonly text: string
}

async function world(
  body: (world: GatewayWorld, base: string) => Promise<void>,
  options: WorldOptions = {},
): Promise<void> {
  const made = await GatewayWorld.open(options)
  try {
    const gateway = await made.gateway()
    await body(made, gateway.url)
  } finally {
    await made.close()
  }
}

async function call(
  url: string,
  options: {
    readonly token?: string
    readonly method?: string
    readonly body?: unknown
    readonly raw?: string
    readonly headers?: Record<string, string>
  } = {},
): Promise<Answered> {
  const { token, body, raw, method = body === undefined && raw === undefined ? 'GET' : 'POST', headers = {} } = options
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined && raw === undefined ? {} : { body: raw ?? JSON.stringify(body) }),
  })
  const text = await response.text()
  let parsed: Record<string, unknown> = {}
  try {
    parsed = JSON.parse(text) as Record<string, unknown>
  } catch {
    // Not every answer is JSON.
  }
  return { status: response.status, headers: response.headers, body: parsed, text }
}

function codeOf({ body }: Answered): unknown {
  return (body['error'] as { code?: unknown } | undefined)?.code
}

const isEnd = ({ event, data }: SseEvent): boolean => event === 'log' && (data as LogEntry).type === 'turn:ended'

suite('REST', ({ test }) => {
  test('a conversation from its opening to its answer', () =>
    world(async (w, base) => {
      const token = await w.token()
      const created = await call(`${base}/api/v1/conversations`, { token, body: {} })
      assert.is(created.status, 201)
      const id = String(created.body['id'])
      const sent = await call(`${base}/api/v1/conversations/${id}/messages`, {
        token,
        body: { id: 'm1', text: 'hello' },
      })
      assert.is(sent.status, 202)
      assert.is(sent.body['status'], 'accepted')
      const again = await call(`${base}/api/v1/conversations/${id}/messages`, {
        token,
        body: { id: 'm1', text: 'hello' },
      })
      assert.is(again.body['messageId'], sent.body['messageId'])
      const other = await call(`${base}/api/v1/conversations/${id}/messages`, {
        token,
        body: { id: 'm1', text: 'other' },
      })
      assert.is(other.status, 409)
      assert.is(codeOf(other), 'ID_REUSED')
      const now = await call(`${base}/api/v1/conversations/${id}`, { token })
      assert.is((now.body['messages'] as unknown[]).length, 2)
      const list = await call(`${base}/api/v1/conversations?limit=10`, { token })
      assert.is((list.body['conversations'] as unknown[]).length, 1)
      const stopped = await call(`${base}/api/v1/conversations/${id}/stop`, { token, body: {} })
      assert.is(stopped.body['status'], 'nothing')
    }))

  test('an agent is asked one thing and waited for', () =>
    world(async (w, base) => {
      const token = await w.token()
      const { status, body } = await call(`${base}/api/v1/agents/billing/execute`, { token, body: { text: 'hello' } })
      assert.is(status, 200)
      const result = body as z.infer<typeof ExecuteResult>
      assert.is(result.outcome, 'answered')
      assert.is(result.message!.text, 'You said: hello')
      assert.is(result.message!.author, 'billing')
    }))

  test('of two turns in one conversation, the one that was asked for is answered', () =>
    world(async (w, base) => {
      const token = await w.token()
      const conversationId = await w.conversation('ann')
      const texts = ['one', 'two', 'three', 'four']
      const results = await Promise.all(
        texts.map((text) => call(`${base}/api/v1/agents/billing/execute`, { token, body: { text, conversationId } })),
      )
      assert.equal(
        results.map(({ body }) => (body as z.infer<typeof ExecuteResult>).message!.text),
        texts.map((text) => `You said: ${text}`),
      )
    }))

  test('who waits too long is told where to look; who hangs up leaves no reader behind', () =>
    world(async (w, base) => {
      const token = await w.token()
      const late = await call(`${base}/api/v1/agents/billing/execute`, { token, body: { text: 'wait', withinMs: 200 } })
      assert.is(late.status, 504)
      assert.is(codeOf(late), 'DEADLINE')
      const { details } = late.body['error'] as { details: Record<string, unknown> }
      const now = await call(`${base}/api/v1/conversations/${String(details['conversationId'])}`, { token })
      assert.is((now.body['turns'] as unknown[]).length, 1, 'the turn goes on')
      const controller = new AbortController()
      const hanging = fetch(`${base}/api/v1/agents/billing/execute`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'wait again' }),
        signal: controller.signal,
      }).catch(() => null)
      const { metrics } = w.gateways[0]!
      while ((await metrics.value('waggle_log_readers')) === 0) await new Promise((resolve) => setImmediate(resolve))
      controller.abort()
      await hanging
      while ((await metrics.value('waggle_log_readers')) > 0) await new Promise((resolve) => setImmediate(resolve))
    }))

  test('nothing is shown to strangers', () =>
    world(async (w, base) => {
      const id = await w.conversation('ann')
      const token = await w.token('mallory')
      for (const path of [`conversations/${id}`, `conversations/${id}/events`]) {
        const answer = await call(`${base}/api/v1/${path}`, { token })
        assert.is(codeOf(answer), 'FORBIDDEN', path)
        assert.is(answer.status, 403)
      }
      const sent = await call(`${base}/api/v1/conversations/${id}/messages`, { token, body: { id: 'm', text: 'x' } })
      assert.is(codeOf(sent), 'FORBIDDEN')
      assert.is(codeOf(await call(`${base}/api/v1/conversations/${id}/stop`, { token, body: {} })), 'FORBIDDEN')
      assert.is(codeOf(await call(`${base}/api/v1/dead-letters`, { token })), 'FORBIDDEN')
      assert.is(codeOf(await call(`${base}/api/v1/conversations`, {})), 'UNAUTHENTICATED')
      assert.is((await call(`${base}/api/v1/dead-letters`, { headers: { 'x-api-key': API_KEY } })).status, 200)
    }))
})

suite('errors over HTTP', ({ test }) => {
  test('have one form, a code, and the trace that the answer names', () =>
    world(async (_w, base) => {
      const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
      const answer = await call(`${base}/api/v1/agents`, { headers: { traceparent } })
      assert.is(answer.status, 401)
      const error = answer.body['error'] as Record<string, unknown>
      assert.equal(Object.keys(error).sort(), ['action', 'code', 'details', 'message', 'traceId'])
      assert.is(error['traceId'], 'a'.repeat(32))
      assert.is(answer.headers.get('x-trace-id'), 'a'.repeat(32))
      assert.is(error['message'], CATALOGUE.UNAUTHENTICATED.message)
    }))

  test('cover what the library refuses by itself: unreadable, foreign, too large, unknown', () =>
    world(async (w, base) => {
      const token = await w.token()
      const url = `${base}/api/v1/conversations`
      const cases: readonly [Answered, number, string][] = [
        [await call(url, { token, raw: '{"half' }), 400, 'BAD_INPUT'],
        [await call(url, { token, raw: '<xml/>', headers: { 'content-type': 'application/xml' } }), 400, 'BAD_INPUT'],
        [await call(url, { token, raw: `{"text":"${'x'.repeat(300_000)}"}` }), 413, 'TOO_LARGE'],
        [await call(`${base}/api/v1/nowhere`, { token }), 404, 'NOT_FOUND'],
        [await call(url, { token, method: 'DELETE' }), 404, 'NOT_FOUND'],
        [await call(`${url}/${'x'.repeat(500)}`, { token }), 400, 'BAD_INPUT'],
        [await call(`${url}/%E0%A4%A`, { token }), 400, 'BAD_INPUT'],
        [await call(`${url}/a%2F..%2Fb`, { token }), 400, 'BAD_INPUT'],
        [await call(`${url}?limit=0`, { token }), 400, 'BAD_INPUT'],
        [await call(`${url}?limit=1&limit=2`, { token }), 400, 'BAD_INPUT'],
        [
          await call(`${base}/api/v1/agents/a/execute`, { token, body: { text: 'x', withinMs: 1e9 } }),
          400,
          'BAD_INPUT',
        ],
        [await call(url, { token, raw: '{"__proto__":{"admin":true}}' }), 400, 'BAD_INPUT'],
      ]
      for (const [answer, status, code] of cases) {
        assert.is(codeOf(answer), code, answer.text.slice(0, 200))
        assert.is(answer.status, status, code)
      }
    }))

  test('tell a hasty caller when to come again', () =>
    world(
      async (w, base) => {
        const token = await w.token()
        for (let i = 0; i < 4; i++) await call(`${base}/api/v1/agents`, { token })
        const answer = await call(`${base}/api/v1/agents`, { token })
        assert.is(answer.status, 429)
        assert.is(codeOf(answer), 'RATE_LIMITED')
        assert.ok(Number(answer.headers.get('retry-after')) >= 1)
        assert.is((await call(`${base}/api/v1/agents`, { token: await w.token('bob') })).status, 200)
      },
      { env: { RATE_PER_SECOND: '1', RATE_BURST: '4' } },
    ))

  test('slow down whoever guesses, whatever address he says he has', () =>
    world(async (w, base) => {
      const codes = new Set<unknown>()
      for (let i = 0; i < 40; i++) {
        codes.add(
          codeOf(
            await call(`${base}/api/v1/agents`, { token: `guess${i}`, headers: { 'x-forwarded-for': `10.0.0.${i}` } }),
          ),
        )
      }
      assert.equal([...codes], ['UNAUTHENTICATED', 'RATE_LIMITED'])
      assert.is(await w.gateways[0]!.metrics.value('waggle_unauthenticated_total', { by: 'token' }), 30)
    }))

  test('behind a proxy of ours, each client is slowed down by itself', () =>
    world(
      async (_w, base) => {
        const guess = async (from: string): Promise<unknown> =>
          codeOf(await call(`${base}/api/v1/agents`, { token: 'guess', headers: { 'x-forwarded-for': from } }))
        // What the client wrote itself stands to the left of what the proxy saw.
        for (let i = 0; i < 31; i++) await guess(`1.1.1.${i}, 10.0.0.1`)
        assert.is(await guess('1.1.1.99, 10.0.0.1'), 'RATE_LIMITED')
        assert.is(await guess('10.0.0.2'), 'UNAUTHENTICATED')
      },
      { env: { TRUST_PROXY: '1' } },
    ))
})

suite('events over HTTP', ({ test }) => {
  test('begin with a snapshot, go on with entries whose id is their cursor, in the order of the log', () =>
    world(async (w, base) => {
      const id = await w.conversation('ann')
      const stream = new SseClient(`${base}/api/v1/conversations/${id}/events`, {
        authorization: `Bearer ${await w.token()}`,
      })
      await stream.opened
      assert.is(stream.status, 200)
      assert.match(String(stream.headers['content-type']), /^text\/event-stream/)
      assert.is(stream.headers['cache-control'], 'no-store')
      assert.is(stream.headers['x-content-type-options'], 'nosniff')
      const { data } = await stream.until(({ event }) => event === 'snapshot')
      assert.is((data as Snapshot).conversationId, id)
      for (let i = 0; i < 5; i++) await w.say(id, 'run:progress', { i })
      await w.say(id, 'tool:called', {}, { audience: 'ops' })
      await w.say(id, 'turn:ended', { text: 'two\nlines' })
      await stream.until(isEnd)
      for (const event of stream.events) assert.is(event.id, (event.data as LogEntry | Snapshot).cursor)
      const from = Number((data as Snapshot).cursor.split('.')[1])
      assert.equal(
        stream.events
          .slice(1)
          .map(({ id: cursor, data: entry }) => `${cursor.split('.')[1]}:${(entry as LogEntry).type}`),
        (await w.truth(id)).filter((line) => Number(line.split(':')[0]) > from),
      )
      stream.close()
    }))

  test('resume on another gateway at Last-Event-ID, which outweighs the address; nothing lost, nothing twice', () =>
    world(async (w, base) => {
      const id = await w.conversation('ann')
      const other = await w.gateway()
      const authorization = `Bearer ${await w.token()}`
      const first = new SseClient(`${base}/api/v1/conversations/${id}/events`, { authorization })
      const { id: start } = await first.until(({ event }) => event === 'snapshot')
      for (let i = 0; i < 5; i++) await w.say(id, 'run:progress', { i })
      const last = await first.until(({ data }) => (data as { payload?: { i?: number } }).payload?.i === 4)
      first.close()
      for (let i = 5; i < 10; i++) await w.say(id, 'run:progress', { i })
      const second = new SseClient(`${other.url}/api/v1/conversations/${id}/events?after=${start}`, {
        authorization,
        'last-event-id': last.id,
      })
      await w.say(id, 'turn:ended', {})
      await second.until(isEnd)
      const types = [...first.events.slice(1), ...second.events].map(
        (event) => `${event.id.split('.')[1]}:${(event.data as LogEntry).type}`,
      )
      assert.equal(
        types,
        (await w.truth(id)).filter((line) => Number(line.split(':')[0]) > Number(start.split('.')[1])),
      )
      second.close()
    }))

  test("operators' events for operators only", () =>
    world(async (w, base) => {
      const id = await w.conversation('ann')
      const refused = await call(`${base}/api/v1/conversations/${id}/events?ops=true`, { token: await w.token('ann') })
      assert.is(codeOf(refused), 'FORBIDDEN')
      const stream = new SseClient(`${base}/api/v1/conversations/${id}/events?ops=true`, { 'x-api-key': API_KEY })
      await stream.until(({ event }) => event === 'snapshot')
      await w.say(id, 'tool:called', {}, { audience: 'ops' })
      await stream.until(({ data }) => (data as LogEntry).type === 'tool:called')
      stream.close()
    }))

  test('end in good order, with a word, when the gateway leaves, and leave nothing behind when the client does', () =>
    world(async (w, base) => {
      const id = await w.conversation('ann')
      const authorization = `Bearer ${await w.token()}`
      const [staying, going] = [1, 2].map(
        () => new SseClient(`${base}/api/v1/conversations/${id}/events`, { authorization }),
      )
      await Promise.all([staying!, going!].map((stream) => stream.until(({ event }) => event === 'snapshot')))
      const { metrics } = w.gateways[0]!
      assert.is(await metrics.value('waggle_sse_streams'), 2)
      going!.close()
      while ((await metrics.value('waggle_log_readers')) > 1) await new Promise((resolve) => setImmediate(resolve))
      assert.is(await metrics.value('waggle_sse_streams'), 1)
      const begun = performance.now()
      await w.gateways[0]!.close()
      w.gateways.length = 0
      await staying!.ended
      assert.is(staying!.events.at(-1)!.event, 'leaving')
      assert.ok(performance.now() - begun < 3_000)
    }))

  test('carry a heartbeat, and end when the token has expired', () => {
    let ahead = 0
    const clock: Clock = {
      ...systemClock,
      now: () => Date.now() + ahead,
      setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms / 100),
    }
    return world(
      async (w, base) => {
        const id = await w.conversation('ann')
        const stream = new SseClient(`${base}/api/v1/conversations/${id}/events`, {
          authorization: `Bearer ${await w.token('ann', [], 600)}`,
        })
        await stream.commented(2)
        ahead = 3_600_000
        await stream.ended
        assert.is(stream.events.at(-1)!.event, 'leaving')
      },
      { clock },
    )
  })
})

/** Wrong tries that one address has. */
const TRIES = 25

suite('what stands around the API', ({ test }) => {
  test('health, readiness and metrics, without ids in labels', () =>
    world(async (w, base) => {
      assert.is((await call(`${base}/healthz`)).status, 200)
      assert.equal((await call(`${base}/readyz`)).body, { ok: true })
      const id = await w.conversation('ann')
      await call(`${base}/api/v1/conversations/${id}`, { token: await w.token('ann') })
      const { text } = await call(`${base}/metrics`)
      assert.match(
        text,
        /waggle_http_requests_total\{route="\/api\/v1\/conversations\/:id",method="GET",status="200",role="g1"\} 1/,
      )
      assert.not.match(text, new RegExp(`${id}|ann|acme`))
      await w.node.stop()
      const away = await call(`${base}/readyz`)
      assert.is(away.status, 503)
      assert.is(away.body['ok'], false)
      assert.is((await call(`${base}/healthz`)).status, 200)
    }))

  test('headers that a browser obeys, on the page and on the API', () =>
    world(async (w, base) => {
      for (const path of ['/healthz', '/api/v1/agents', '/docs']) {
        const { headers } = await call(base + path, { token: await w.token() })
        const policy = headers.get('content-security-policy') ?? ''
        assert.match(policy, /script-src 'self'(?:;|$)/, path)
        assert.match(policy, /frame-ancestors 'none'/)
        assert.is(headers.get('x-content-type-options'), 'nosniff')
        assert.is(headers.get('x-powered-by'), null)
      }
    }))

  test('pages of configured sites may call it, others may not', () =>
    world(async (w, base) => {
      const ask = (origin: string): Promise<Answered> =>
        call(`${base}/api/v1/agents`, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'GET',
            'access-control-request-headers': 'authorization',
          },
        })
      assert.is((await ask('https://shop.example')).headers.get('access-control-allow-origin'), 'https://shop.example')
      assert.is((await ask('https://evil.example')).headers.get('access-control-allow-origin'), null)
      const answer = await call(`${base}/api/v1/agents`, {
        token: await w.token(),
        headers: { origin: 'https://evil.example' },
      })
      assert.is(answer.headers.get('access-control-allow-origin'), null)
    }))

  test('the description is OpenAPI 3.1, whole, and true: every path in it is served', async () => {
    const served: { readonly method: string; readonly path: string }[] = []
    await world(async (w, base) => {
      const { body } = await call(`${base}/api/v1/openapi.json`)
      assert.match(String(body['openapi']), /^3\.1\./)
      const paths = body['paths'] as Record<
        string,
        Record<
          string,
          { operationId: string; parameters?: { name: string; in: string }[]; responses: Record<string, unknown> }
        >
      >
      const ids = new Set<string>()
      let count = 0
      for (const [path, operations] of Object.entries(paths)) {
        for (const [method, operation] of Object.entries(operations)) {
          count++
          ids.add(operation.operationId)
          const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
          const declared = (operation.parameters ?? [])
            .filter((parameter) => parameter.in === 'path')
            .map(({ name }) => name)
          assert.equal(declared.sort(), named.sort(), path)
          assert.ok(Object.keys(operation.responses).length >= 2, path)
          served.push({ method, path })
        }
      }
      assert.is(ids.size, count, 'each operation has a name of its own')
      assert.ok(count >= 14, `${count} operations`)
      const text = JSON.stringify(body)
      for (const [, pointer] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
        let target: unknown = body
        for (const step of pointer!.split('/')) target = (target as Record<string, unknown> | undefined)?.[step]
        assert.ok(target !== undefined, pointer)
      }
      const page = await call(`${base}/docs`, { token: await w.token() })
      assert.is(page.status, 200)
      assert.match(page.text, /<html/)
      for (const [, address] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
        assert.not.match(address!, /^(?:https?:)?\/\//, 'nothing from elsewhere')
        assert.is((await call(new URL(address!, `${base}/docs/`).href)).status, 200, address)
      }
    })
    // Nobody is let in without credentials, and nothing is missing. Who tries more than a few is slowed down.
    for (let from = 0; from < served.length; from += TRIES)
      await world(async (_w, base) => {
        for (const { method, path } of served.slice(from, from + TRIES)) {
          const answer = await call(base + path.replaceAll(/\{\w+\}/g, 'x1'), {
            method: method.toUpperCase(),
            ...(method === 'post' ? { raw: '{}' } : {}),
          })
          assert.is(codeOf(answer), 'UNAUTHENTICATED', `${method} ${path}`)
        }
      })
  })

  test('whoever sends slowly, or nothing, does not hold a leaving gateway', () =>
    world(async (w, base) => {
      const { port, hostname } = new URL(base)
      const socket = connect(Number(port), hostname)
      await once(socket, 'connect')
      socket.write(
        'POST /api/v1/conversations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"',
      )
      socket.resume()
      const closed = once(socket, 'close')
      socket.on('error', () => {})
      const begun = performance.now()
      await w.gateways[0]!.close()
      w.gateways.length = 0
      await closed
      assert.ok(performance.now() - begun < 8_000)
    }))
})
