import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { Agent } from 'undici'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import { guardedAgent } from '#shared/lib/outbound/guarded-agent.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { callTool } from '#services/tools/call-tool.ts'
import type { ToolRow } from '#services/tools/tool-row.ts'
import { noReach } from '#test/kit/no-reach.ts'
import { assert, suite } from '#test/kit/suite.ts'

const TOKEN = 'user-token-abcdef.123'
const ada: Principal = { tenant: 'acme', user: 'ada', roles: [], scopes: [], credential: 'sealed' }

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

suite('http tool', ({ test, before, after, beforeEach }) => {
  let server: Server
  let other: Server
  let port = 0
  let otherPort = 0
  let agents: Agent[] = []
  const seen: Seen[] = []
  const handlers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>()

  const listen = async (): Promise<Server> => {
    const made = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => void chunks.push(chunk))
      request.on('end', () => {
        const { method = '', url = '', headers } = request
        seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
        const handler = handlers.get(url.split('?')[0]!)
        if (handler !== undefined) return handler(request, response)
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ok: true, url }))
      })
    })
    await new Promise<void>((resolve) => void made.listen(0, '127.0.0.1', resolve))
    return made
  }
  const portOf = (one: Server): number => (one.address() as { port: number }).port
  const shut = async (one: Server): Promise<void> => {
    one.closeAllConnections()
    await new Promise((resolve) => void one.close(resolve))
  }

  before(async () => {
    server = await listen()
    other = await listen()
    port = portOf(server)
    otherPort = portOf(other)
  })
  after(async () => {
    await Promise.all(agents.map((agent) => agent.destroy()))
    agents = []
    await shut(server)
    await shut(other)
  })
  beforeEach(() => {
    seen.length = 0
    handlers.clear()
  })

  const row = (more: Partial<ToolRow> = {}): ToolRow => ({
    id: 'lookup',
    kind: 'http_get',
    parameters: { type: 'object', properties: { id: { type: 'string' } }, additionalProperties: true },
    url: `http://shop.test:${port}/orders/{id}`,
    headers: {},
    auth: 'none',
    secretId: null,
    outputTemplate: '',
    timeoutMs: 5_000,
    maxResultBytes: 10_000,
    idempotent: true,
    keyHeader: null,
    trusted: false,
    ...more,
  })

  interface Setting {
    readonly allow?: readonly string[]
    readonly ports?: readonly number[]
    readonly resolve?: (host: string) => Promise<readonly string[]>
    readonly signal?: AbortSignal
    readonly principal?: Principal | null
  }

  const call = async (tool: ToolRow, args: Record<string, unknown> = { id: '1042' }, setting: Setting = {}) => {
    const rules = { allow: setting.allow ?? [`shop.test:${port}`], ports: setting.ports ?? [80, 443] }
    const agent = guardedAgent(rules, { resolve: setting.resolve ?? (async () => ['127.0.0.1']) })
    agents.push(agent)
    const parts = {
      agent,
      rules,
      tools: { byName: async () => tool },
      openCredential: (principal: Principal) => (principal.credential === 'sealed' ? TOKEN : null),
      secrets: null,
    }
    const caller = {
      tenant: 'acme',
      principal: setting.principal === undefined ? ada : setting.principal,
      signal: setting.signal ?? new AbortController().signal,
      log: silentLogger,
      reach: noReach,
    }
    const request = { tool: tool.id, args, callId: 'c1', idempotencyKey: 'run/1', conversationId: 'conv' }
    return await callTool(parts, caller, request)
  }
  const failure = async (...args: Parameters<typeof call>): Promise<WaggleError> => {
    try {
      const result = await call(...args)
      throw new Error(`answered ${JSON.stringify(result)}`)
    } catch (error) {
      if (error instanceof WaggleError) return error
      throw error
    }
  }

  test('asks with what the row says and answers in its words', async () => {
    handlers.set(
      '/orders/1042',
      (_request, response) =>
        void response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end('{"status":"shipped"}'),
    )
    const tool = row({ outputTemplate: 'Order {id} is {status}.', headers: { 'X-Lang': '{lang}' } })
    const answer = await call(tool, { id: '1042', lang: 'de', page: 2, tags: ['a', 'b'] })
    assert.equal([answer.result, answer.text, answer.tainted], [{ status: 'shipped' }, 'Order 1042 is shipped.', true])
    assert.equal([seen[0]?.url, seen[0]?.headers['x-lang']], ['/orders/1042?page=2&tags=a&tags=b', 'de'])
    assert.is((await call(row({ trusted: true }))).tainted, false)
  })

  test('posts the rest as JSON, with our key where the tool takes one', async () => {
    const tool = row({
      kind: 'http_post',
      url: `http://shop.test:${port}/orders/{id}/refund`,
      keyHeader: 'Idempotency-Key',
    })
    await call(tool, { id: '7', reason: 'broken', amount: 5 })
    const [request] = seen
    assert.equal([request?.method, request?.url], ['POST', '/orders/7/refund'])
    assert.equal(JSON.parse(request?.body ?? ''), { reason: 'broken', amount: 5 })
    assert.is(request?.headers['idempotency-key'], 'run/1')
    assert.is(request?.headers.authorization, undefined)
  })

  test("the user's token goes to the tool and comes back in nothing", async () => {
    handlers.set(
      '/orders/1042',
      (request, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(request.headers)),
    )
    const answer = await call(row({ auth: 'user_token' }))
    assert.is(seen[0]?.headers.authorization, `Bearer ${TOKEN}`)
    assert.not(JSON.stringify(answer).includes(TOKEN))
    handlers.set(
      '/orders/1042',
      (request, response) =>
        void response
          .writeHead(500, { 'content-type': 'application/json' })
          .end(JSON.stringify({ message: `bad ${request.headers.authorization}` })),
    )
    const error = await failure(row({ auth: 'user_token' }))
    assert.is(error.code, 'TOOL_FAILED')
    assert.not(JSON.stringify([error.message, error.details]).includes(TOKEN))
  })

  test('no token, no request; none to another tenant’s tool, none in the clear', async () => {
    for (const principal of [null, { ...ada, credential: '' }, { ...ada, tenant: 'globex' }])
      assert.is((await failure(row({ auth: 'user_token' }), undefined, { principal })).code, 'TOOL_DENIED')
    const clear = row({ auth: 'user_token', url: 'http://public.test/x' })
    assert.is((await failure(clear, {}, { allow: [], resolve: async () => ['93.184.216.34'] })).code, 'ADDRESS_REFUSED')
    assert.is((await failure(row({ auth: 'secret', secretId: 'crm' }))).code, 'TOOL_DENIED')
    assert.is((await failure(row({ auth: 'user_token', headers: { Authorization: 'x' } }))).code, 'TOOL_FAILED')
    assert.is(seen.length, 0)
  })

  test('addresses that are not public are refused, however they are written', async () => {
    const hosts = [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `127.1:${port}`,
      `0x7f.1:${port}`,
      `2130706433:${port}`,
      `017700000001:${port}`,
      `0:${port}`,
      `[::1]:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      `[::ffff:7f00:1]:${port}`,
      '169.254.169.254',
      '[fd00:ec2::254]',
      '10.0.0.1',
      '100.100.100.200',
    ]
    for (const host of hosts) {
      const error = await failure(row({ url: `http://${host}/latest` }), {}, { ports: [80, 443, port] })
      assert.is(error.code, 'ADDRESS_REFUSED', host)
    }
    assert.is((await failure(row({ url: `http://shop.test@127.0.0.1:${port}/x` }))).code, 'TOOL_FAILED')
    assert.is(
      (await failure(row({ url: `http://public.test:${port}/x` }), {}, { resolve: async () => ['93.184.216.34'] }))
        .code,
      'ADDRESS_REFUSED',
      'a port that is not usual',
    )
    assert.is(seen.length, 0)
  })

  test('a name that leads inside is refused, also when only one of its addresses does', async () => {
    for (const addresses of [['127.0.0.1'], ['93.184.216.34', '10.0.0.7'], ['::ffff:127.0.0.1'], ['64:ff9b::7f00:1']]) {
      const tool = row({ url: `http://public.test:${port}/x` })
      const error = await failure(tool, {}, { ports: [port], resolve: async () => addresses })
      assert.is(error.code, 'ADDRESS_REFUSED', addresses.join())
      assert.not(
        addresses.some((address) => error.message.includes(address)),
        'the inner address is not told',
      )
    }
    assert.is(seen.length, 0)
  })

  test('a name that answers differently the second time gains nothing', async () => {
    let asked = 0
    // Public, and nobody answers there in time: what matters is that nobody asked for the address again.
    const resolve = async (): Promise<string[]> => [++asked === 1 ? '93.184.216.34' : '127.0.0.1']
    const tool = row({ url: `http://rebind.test:${port}/x`, timeoutMs: 200 })
    const first = await failure(tool, {}, { ports: [port], resolve })
    assert.is(first.code, 'TOOL_FAILED')
    assert.is(asked, 1)
    const second = await failure(tool, {}, { ports: [port], resolve })
    assert.is(second.code, 'ADDRESS_REFUSED')
    assert.is(asked, 2, 'one look-up per connection: what was checked is what is connected to')
    assert.is(seen.length, 0)
  })

  test('every redirect is checked like the first address', async () => {
    const targets = [
      'http://169.254.169.254/latest/meta-data/',
      `http://127.0.0.1:${port}/secret`,
      `http://[::1]:${port}/`,
      'file:///etc/passwd',
      'gopher://x/',
      `http://u:p@shop.test:${port}/`,
    ]
    for (const location of targets) {
      handlers.set('/orders/1042', (_request, response) => void response.writeHead(302, { location }).end())
      seen.length = 0
      const error = await failure(row(), undefined, { ports: [80, 443, port] })
      assert.is(error.code, 'ADDRESS_REFUSED', location)
      assert.is(seen.length, 1)
    }
  })

  test('follows a few redirects and no more', async () => {
    handlers.set('/orders/1042', (_request, response) => void response.writeHead(307, { location: '/a' }).end())
    handlers.set('/a', (_request, response) => void response.writeHead(302, { location: 'b?x=1' }).end())
    assert.equal((await call(row())).result, { ok: true, url: '/b?x=1' })
    handlers.set(
      '/orders/1042',
      (_request, response) => void response.writeHead(302, { location: '/orders/1042' }).end(),
    )
    seen.length = 0
    const error = await failure(row())
    assert.is(error.code, 'TOOL_FAILED')
    assert.is(seen.length, 4)
  })

  test('what was meant for one host stays with it', async () => {
    handlers.set(
      '/orders/1042',
      (_request, response) => void response.writeHead(302, { location: `http://other.test:${otherPort}/x` }).end(),
    )
    const allow = [`shop.test:${port}`, `other.test:${otherPort}`]
    await call(row({ auth: 'user_token', headers: { 'X-Key': 'k' } }), undefined, { allow })
    assert.equal(
      seen.map(({ headers }) => [headers.authorization, headers['x-key']]),
      [
        [`Bearer ${TOKEN}`, 'k'],
        [undefined, undefined],
      ],
    )
    seen.length = 0
    const post = row({ kind: 'http_post', url: `http://shop.test:${port}/orders/1042` })
    handlers.set(
      '/orders/1042',
      (_request, response) => void response.writeHead(307, { location: `http://other.test:${otherPort}/x` }).end(),
    )
    assert.is((await failure(post, { id: 'x' }, { allow })).code, 'TOOL_FAILED')
    assert.is(seen.length, 1, 'a body is not sent on to another host')
  })

  test('a POST is repeated where its redirect says the same, and read where it says see other', async () => {
    const post = row({ kind: 'http_post', url: `http://shop.test:${port}/orders/1042` })
    handlers.set('/orders/1042', (_request, response) => void response.writeHead(308, { location: '/new' }).end())
    await call(post, { id: 'x' })
    assert.equal(
      seen.map(({ method, body }) => [method, body]),
      [
        ['POST', '{"id":"x"}'],
        ['POST', '{"id":"x"}'],
      ],
    )
    handlers.set('/orders/1042', (_request, response) => void response.writeHead(303, { location: '/done' }).end())
    seen.length = 0
    await call(post, { id: 'x' })
    assert.equal(
      seen.map(({ method, body }) => [method, body]),
      [
        ['POST', '{"id":"x"}'],
        ['GET', ''],
      ],
    )
    handlers.set('/orders/1042', (_request, response) => void response.writeHead(302, { location: '/done' }).end())
    assert.is((await failure(post, { id: 'x' })).code, 'TOOL_FAILED')
  })

  test('an answer that is too large, endless or packed is refused while it comes', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))
    handlers.set(
      '/orders/1042',
      (_request, response) =>
        void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb),
    )
    const before = process.memoryUsage().rss
    assert.is((await failure(row())).code, 'TOO_LARGE')
    assert.ok(process.memoryUsage().rss - before < 30 * 1024 * 1024, 'it was never unpacked as a whole')
    let stopped = false
    handlers.set('/orders/1042', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      const more = (): void => {
        while (!stopped && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more).on('close', () => (stopped = true))
      more()
    })
    assert.is((await failure(row())).code, 'TOO_LARGE')
    handlers.set(
      '/orders/1042',
      (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(gzipSync('{"a":1}')),
    )
    assert.equal((await call(row())).result, { a: 1 })
    handlers.set(
      '/orders/1042',
      (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end('not gzip'),
    )
    assert.is((await failure(row())).code, 'TOOL_FAILED')
    handlers.set('/orders/1042', (_request, response) => {
      for (let index = 0; index < 60; index++) response.setHeader(`x-${index}`, 'y'.repeat(1_000))
      response.end('{}')
    })
    assert.is((await failure(row())).code, 'TOOL_FAILED', 'headers without end')
  })

  test('who says nothing in time is given up; a POST is then in doubt', async () => {
    handlers.set('/orders/1042', () => {})
    const get = await failure(row({ timeoutMs: 50 }))
    assert.equal([get.code, get.details['happened']], ['TOOL_FAILED', 'no'])
    const post = row({ kind: 'http_post', url: `http://shop.test:${port}/orders/1042`, timeoutMs: 50 })
    const doubt = await failure(post, {})
    assert.equal([doubt.code, doubt.details['happened']], ['DEADLINE', 'unknown'])
    handlers.set('/orders/1042', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.write('one byte and never the rest')
    })
    assert.is((await failure(row({ timeoutMs: 50 }))).code, 'TOOL_FAILED', 'a body that never ends')
    handlers.set('/orders/1042', (request) => void request.socket.destroy())
    assert.is((await failure(post, {})).code, 'DEADLINE', 'cut after it was sent')
    const nobody = row({ kind: 'http_post', url: 'http://gone.test:9/x' })
    const refused = await failure(nobody, {}, { allow: ['gone.test:9'] })
    assert.equal([refused.code, refused.details['happened']], ['TOOL_FAILED', 'no'])
  })

  test('a cancelled call ends at once, at the other end too', async () => {
    const controller = new AbortController()
    const closed = new Promise<void>((resolve) =>
      handlers.set('/orders/1042', (_request, response) => {
        response.on('close', () => resolve())
        controller.abort(new WaggleError('CANCELLED', { reason: 'The customer stopped it.' }))
      }),
    )
    const error = await failure(row(), undefined, { signal: controller.signal })
    assert.is(error.code, 'CANCELLED')
    await closed
    seen.length = 0
    const early = await failure(row(), undefined, { signal: controller.signal })
    assert.is(early.code, 'CANCELLED')
    assert.is(seen.length, 0)
  })

  test('a row that cannot be used says so and sends nothing', async () => {
    const broken: Partial<ToolRow>[] = [
      { url: 'http://{host}/x' },
      { url: '' },
      { headers: { Host: 'x' } },
      { parameters: { type: 'object', requird: [] } },
      { keyHeader: 'Content-Length' },
      { keyHeader: 'a b' },
      { id: 'nothing', kind: 'builtin' },
    ]
    for (const more of broken) {
      const error = await failure(row(more), {})
      assert.is(error.code, 'TOOL_FAILED', JSON.stringify(more))
      assert.is(error.details['happened'], 'no')
    }
    assert.is(seen.length, 0)
  })
})
