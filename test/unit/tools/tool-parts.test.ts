import fc from 'fast-check'
import type { Principal } from '#shared/wire/envelope.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { openCredential, sealCredential } from '#shared/lib/credential.ts'
import { isPublicAddress } from '#shared/lib/outbound/address-rules.ts'
import { Seal } from '#shared/lib/seal.ts'
import { callBuiltin } from '#services/tools/builtin-tools.ts'
import { checkArgs } from '#services/tools/check-args.ts'
import { readAnswer } from '#services/tools/read-answer.ts'
import { redactSecrets } from '#services/tools/redact.ts'
import { renderOutput } from '#services/tools/render-output.ts'
import { parseHeaders } from '#services/tools/request-headers.ts'
import type { ToolRow } from '#services/tools/tool-row.ts'
import { parseUrlTemplate } from '#services/tools/url-template.ts'
import { noReach } from '#test/kit/no-reach.ts'
import { assert, suite } from '#test/kit/suite.ts'

const row = (more: Partial<ToolRow> = {}): ToolRow => ({
  id: 'lookup',
  kind: 'http_get',
  parameters: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
  url: 'https://api.example.com/orders/{id}',
  headers: {},
  auth: 'none',
  secretId: null,
  outputTemplate: '',
  timeoutMs: 1_000,
  maxResultBytes: 10_000,
  idempotent: true,
  keyHeader: null,
  trusted: false,
  ...more,
})

function code(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return error instanceof WaggleError ? error.code : `uncoded ${String(error)}`
  }
  return 'none'
}

suite('url template', ({ test }) => {
  test('fills path and query, and leaves out fields without their argument', () => {
    const template = parseUrlTemplate('https://api.example.com/v1/orders/{id}/items?lang={lang}&page={page}&all=1')
    assert.equal([...template.names], ['id', 'lang', 'page'])
    assert.is(
      template.fill({ id: 'A 1/2'.replace('/', '-'), lang: 'dé&x=1' }).href,
      'https://api.example.com/v1/orders/A%201-2/items?lang=d%C3%A9%26x%3D1&all=1',
    )
    assert.is(parseUrlTemplate('http://h.example').fill({}).href, 'http://h.example/')
  })

  test('no argument changes where the request goes', () => {
    const template = parseUrlTemplate('https://api.example.com/orders/{id}?q={q}')
    for (const id of [
      '..',
      '.',
      '../admin',
      '..\\admin',
      'a/b',
      '',
      '%2e%2e/x',
      'a\r\nHost: evil',
      'x\u0000',
      '//evil.test',
      '/',
    ])
      assert.is(
        code(() => template.fill({ id, q: '' })),
        'TOOL_ARGS',
        JSON.stringify(id),
      )
    for (const id of ['@evil.test', ':80', '?x', '#x', '%2e%2e', '%00', '{q}', ';a=b', '..%2f', 'a b'])
      if (!id.includes('/')) {
        const url = template.fill({ id, q: '#&=?/../' })
        assert.is(url.origin, 'https://api.example.com')
        assert.is(url.pathname.split('/').length, 3, id)
        assert.is(url.searchParams.get('q'), '#&=?/../')
        assert.is(decodeURIComponent(url.pathname.split('/')[2]!), id)
      }
    assert.is(
      code(() => template.fill({ id: { a: 1 } })),
      'TOOL_ARGS',
    )
    assert.is(
      code(() => template.fill({ id: 'x'.repeat(9_000) })),
      'TOOL_ARGS',
    )
  })

  test('whatever the arguments are, the origin stays and what is read back is what was given', () => {
    const template = parseUrlTemplate('https://api.example.com/a/{one}/b/{two}?c={three}')
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom('..', '%2e%2e', '\\', '@x', '\ud800'),
    )
    fc.assert(
      fc.property(text, text, text, (one, two, three) => {
        let url: URL
        try {
          url = template.fill({ one, two, three })
        } catch (error) {
          assert.ok(error instanceof WaggleError && error.code === 'TOOL_ARGS', String(error))
          return
        }
        assert.is(url.origin, 'https://api.example.com')
        const [, a, first, b, second] = url.pathname.split('/')
        assert.equal([a, b], ['a', 'b'])
        assert.equal(
          [decodeURIComponent(first!), decodeURIComponent(second!)],
          [one.toWellFormed(), two.toWellFormed()],
        )
        assert.is(url.searchParams.get('c'), three.toWellFormed())
      }),
      { numRuns: 2_000 },
    )
  })

  test('a template that is no fixed place is refused', () => {
    for (const template of [
      'https://{host}/a',
      'https://api.{zone}.example.com/a',
      'https://api.example.com:{port}/a',
      '{scheme}://api.example.com/a',
      'ftp://api.example.com/a',
      'https://user@api.example.com/a',
      'https://user:pw@api.example.com/a',
      'https://api.example.com/a/../b',
      'https://api.example.com/a b',
      'https://api.example.com/{a',
      'https://api.example.com/{a b}',
      'https://api.example.com/a#f',
      'file:///etc/passwd',
      '//api.example.com/a',
      'https://api.example.com@evil.test/',
    ])
      assert.throws(
        () => parseUrlTemplate(template),
        (error: unknown) => error instanceof Error,
        template,
      )
  })
})

suite('request headers', ({ test }) => {
  test('an argument cannot begin another header', () => {
    const headers = parseHeaders({ 'X-Lang': '{lang}', Accept: 'application/json' }, new Set())
    assert.equal(headers.fill({ lang: 'de' }), { 'x-lang': 'de', accept: 'application/json' })
    assert.equal(headers.fill({}), { accept: 'application/json' })
    for (const lang of ['de\r\nAuthorization: x', 'de\n', '\u0000', 'dé', 'x'.repeat(5_000)])
      assert.is(
        code(() => headers.fill({ lang })),
        'TOOL_ARGS',
        JSON.stringify(lang.slice(0, 30)),
      )
  })

  test('a row cannot set what decides where a request goes or who sends it', () => {
    const bad = [
      { Host: 'evil' },
      { 'Content-Length': '1' },
      { 'Transfer-Encoding': 'chunked' },
      { 'a b': 'x' },
      { 'X\r\nY': 'x' },
      { X: 'a\nb' },
    ]
    for (const headers of bad)
      assert.throws(() => parseHeaders(headers as unknown as Record<string, string>, new Set()))
    assert.throws(() => parseHeaders({ Authorization: 'Bearer x' }, new Set(['authorization'])))
  })
})

suite('tool arguments', ({ test }) => {
  test('fit their schema, and nothing the schema does not name goes through', () => {
    assert.is(
      code(() => checkArgs(row(), { id: '1' })),
      'none',
    )
    assert.is(
      code(() => checkArgs(row(), {})),
      'TOOL_ARGS',
    )
    assert.is(
      code(() => checkArgs(row(), { id: 1 })),
      'TOOL_ARGS',
    )
    assert.is(
      code(() => checkArgs(row(), { id: '1', admin: true })),
      'TOOL_ARGS',
    )
    const open = { type: 'object', properties: {}, additionalProperties: true }
    assert.is(
      code(() => checkArgs(row({ parameters: open }), { any: 1 })),
      'none',
    )
    assert.is(
      code(() => checkArgs(row({ parameters: open }), { any: 'x'.repeat(70_000) })),
      'TOOL_ARGS',
    )
    assert.is(
      code(() => checkArgs(row({ parameters: { $ref: 'http://127.0.0.1/' } }), {})),
      'TOOL_FAILED',
    )
  })
})

suite('tool output', ({ test }) => {
  const template = 'Order {order_id} is {status}[ by {carrier.name}][, expected {eta}].'

  test('reads as a sentence, with what is there', () => {
    const result = { order_id: '1042', status: 'shipped', carrier: { name: 'Ada Express' }, eta: 'Friday' }
    assert.is(renderOutput(template, result, {}), 'Order 1042 is shipped by Ada Express, expected Friday.')
    assert.is(renderOutput(template, { status: 'new' }, { order_id: '7' }), 'Order 7 is new.')
    assert.is(renderOutput('{name}: {price}', [{ name: 'a', price: 1 }, { name: 'b' }], {}), 'a: 1\nb: not given')
  })

  test('says what is missing and never undefined', () => {
    assert.is(renderOutput(template, { carrier: { name: 'X' } }, {}), 'Order not given is not given by X.')
    for (const result of [null, undefined, {}, [], 5, true, { status: null }, [null, {}]])
      assert.not(/undefined|null|\[object/.test(renderOutput(template, result, {})), JSON.stringify(result))
    assert.is(renderOutput(template, 'There is no order 9.', {}), 'There is no order 9.')
    assert.is(renderOutput('', { a: 1 }, {}), '')
  })

  test('a value that looks like a template stays a value', () => {
    assert.is(renderOutput('[{a}] {b}', { a: '{secret}', secret: 'x' }, {}), '{secret} not given')
    assert.is(renderOutput('{a} {b}', { a: '[{secret}]', b: 'y', secret: 'x' }, {}), '[{secret}] y')
  })

  test('nothing that was sent comes back', () => {
    const token = 'eyJ.abc"def.ghi'
    const echoed = JSON.stringify({
      header: `Bearer ${token}`,
      url: `/x?t=${encodeURIComponent(token)}`,
      b: Buffer.from(token).toString('base64'),
    })
    const kept = redactSecrets(echoed, [token])
    assert.not(kept.includes('abc'))
    assert.not(kept.includes(Buffer.from(token).toString('base64')))
    assert.equal(JSON.parse(kept).header, 'Bearer [redacted]')
  })

  test('an answer is read by its status and type', () => {
    const answer = (status: number, text: string, contentType = 'application/json') => ({
      status,
      text,
      contentType,
      retryAfter: '7',
    })
    assert.equal(readAnswer(answer(200, '{"a":1,"__proto__":{"x":1}}'), 'GET'), { a: 1 })
    assert.is(readAnswer(answer(200, 'hi', 'text/plain'), 'GET'), 'hi')
    assert.is(readAnswer(answer(204, ''), 'POST'), null)
    assert.is(
      readAnswer(answer(404, '{"detail":"There is no order 9."}', 'application/problem+json'), 'GET'),
      'There is no order 9.',
    )
    assert.is(
      code(() => readAnswer(answer(404, ''), 'GET')),
      'NOT_FOUND',
    )
    assert.is(
      code(() => readAnswer(answer(404, '{"detail":"x"}'), 'POST')),
      'NOT_FOUND',
    )
    assert.is(
      code(() => readAnswer(answer(403, ''), 'GET')),
      'TOOL_DENIED',
    )
    assert.is(
      code(() => readAnswer(answer(500, '<h1>'), 'GET')),
      'TOOL_FAILED',
    )
    assert.is(
      code(() => readAnswer(answer(200, 'not json'), 'GET')),
      'TOOL_FAILED',
    )
    assert.is(
      code(() => readAnswer(answer(200, 'PNG', 'image/png'), 'GET')),
      'TOOL_FAILED',
    )
    assert.is(
      code(() => readAnswer(answer(200, '['.repeat(60) + ']'.repeat(60)), 'GET')),
      'TOO_LARGE',
    )
    assert.is(
      code(() => readAnswer(answer(200, '['.repeat(100_000) + ']'.repeat(100_000)), 'GET')),
      'TOO_LARGE',
    )
    try {
      readAnswer(answer(429, '{"error":{"message":"slow down"}}'), 'POST')
      assert.unreachable()
    } catch (error) {
      assert.equal((error as WaggleError).details, {
        reason: 'slow down',
        happened: 'no',
        status: 429,
        said: 'slow down',
        retryAfterMs: 7_000,
      })
    }
  })

  test('escalation is a marker with a reason', async () => {
    const escalate = row({ id: 'escalate_to_human', kind: 'builtin' })
    const call = async (args: Record<string, unknown>): Promise<unknown> =>
      (await callBuiltin(escalate, args, noReach)).result
    assert.equal(await call({ reason: ' angry ' }), { escalate: true, reason: 'angry' })
    assert.equal(await call({}), { escalate: true, reason: 'The customer asked for a person.' })
    const unknown = callBuiltin(row({ id: 'toString', kind: 'builtin' }), {}, noReach)
    assert.is(await unknown.catch((error: unknown) => (error as { code?: string }).code), 'TOOL_FAILED')
  })
})

suite('public addresses', ({ test }) => {
  test('are those that anybody could reach, in whatever form they are written', () => {
    for (const address of ['93.184.216.34', '1.1.1.1', '2606:4700::1111', '::ffff:93.184.216.34'])
      assert.ok(isPublicAddress(address), address)
    const inner = [
      '127.0.0.1',
      '127.8.8.8',
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '100.100.100.200',
      '0.0.0.0',
      '255.255.255.255',
      '224.0.0.1',
      '192.0.0.192',
      '198.18.0.1',
      '168.63.129.16',
      '240.0.0.1',
      '192.0.2.1',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:169.254.169.254',
      '::127.0.0.1',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      '64:ff9b::7f00:1',
      '64:ff9b:1::1',
      '2002:7f00:1::',
      '2001::1',
      '2001:db8::1',
      'ff02::1',
      '100::1',
      'localhost',
      '',
      'x',
    ]
    for (const address of inner) assert.not(isPublicAddress(address), address)
  })
})

suite('credential', ({ test }) => {
  test('opens for its owner alone', () => {
    const seal = new Seal('a secret of sixteen or more')
    const owner = { tenant: 'acme', user: 'ada' }
    const principal = {
      ...owner,
      roles: [],
      scopes: [],
      credential: sealCredential(seal, owner, 'token'),
    } satisfies Principal
    assert.is(openCredential(seal, principal), 'token')
    assert.is(openCredential(seal, { ...principal, user: 'bob' }), null)
    assert.is(openCredential(seal, { ...principal, tenant: 'globex' }), null)
    assert.is(openCredential(new Seal('another secret of sixteen'), principal), null)
    assert.is(openCredential(seal, { ...principal, credential: '' }), null)
    assert.is(sealCredential(seal, owner, ''), '')
  })
})
