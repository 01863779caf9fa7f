import { Metrics } from '#shared/telemetry/metrics.ts'
import { createLogger } from '#shared/telemetry/logger.ts'
import { observeRuntime } from '#shared/telemetry/runtime-metrics.ts'
import { childTrace, newTrace, traceId } from '#shared/telemetry/trace.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Observe } from '#shared/actor/observe.ts'
import { assert, suite } from '#test/kit/suite.ts'

function lines(level: 'debug' | 'info' = 'debug'): {
  log: ReturnType<typeof createLogger>
  read: () => Record<string, unknown>[]
  raw: () => string
} {
  let written = ''
  const log = createLogger({
    level,
    role: 'test',
    node: 'n1',
    destination: { write: (line: string) => void (written += line) },
  })
  return {
    log,
    raw: () => written,
    read: () =>
      written
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

suite('log lines', ({ test }) => {
  test('are one JSON object each, with role, node, level and time', () => {
    const { log, read } = lines()
    log.info({ conversation: 'c1' }, 'Opened.')
    const [line] = read()
    assert.is(line!['level'], 'info')
    assert.is(line!['role'], 'test')
    assert.is(line!['node'], 'n1')
    assert.is(line!['conversation'], 'c1')
    assert.is(line!['msg'], 'Opened.')
    assert.ok(!Number.isNaN(Date.parse(String(line!['time']))))
  })

  test('hold no secret, however deep it lies and whatever it is called', () => {
    const { log, raw } = lines()
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLW9mLWl0'
    log.warn(
      {
        authorization: 'Bearer one-secret',
        headers: { Cookie: 'two-secret', 'x-api-key': 'three-secret' },
        deep: [{ principal: { credential: 'four-secret', user: 'ann' } }],
        note: `the client sent ${jwt}`,
        key: 'wag_fivesecret1234',
        url: 'nats://user:six-secret@broker:4222',
        error: new WaggleError(
          'INTERNAL',
          { reason: `Bearer seven-secret-token`, apiKey: 'eight-secret' },
          { cause: new Error(jwt) },
        ),
      },
      `Refused ${jwt}.`,
    )
    assert.not.match(raw(), /(one|two|three|four|six|seven|eight)-secret|fivesecret|c2lnbmF0dXJl/)
    assert.match(raw(), /"user":"ann"/)
    assert.match(raw(), /INTERNAL/)
  })

  test('survive what cannot be written: a loop, a bigint, bytes, an endless text', () => {
    const { log, read } = lines()
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    log.error({ loop, big: 10n, bytes: new Uint8Array(5), text: 'x'.repeat(100_000), fn: () => 1 }, 'Odd.')
    const [line] = read()
    assert.is(line!['big'], '10')
    assert.is(line!['bytes'], '[5 bytes]')
    assert.ok(String(line!['text']).length < 5_000)
  })

  test('below the level are not written', () => {
    const { log, read } = lines('info')
    log.debug({}, 'No.')
    assert.equal(read(), [])
  })
})

suite('metrics', ({ test }) => {
  test('are rendered for Prometheus with their role', async () => {
    const metrics = new Metrics('gateway')
    metrics.count('waggle_log_entries_total', { audience: 'pub' }, 3)
    metrics.measure('waggle_sockets', {}, () => 7)
    const text = await metrics.render()
    assert.match(text, /waggle_log_entries_total\{audience="pub",role="gateway"\} 3/)
    assert.match(text, /waggle_sockets\{role="gateway"\} 7/)
    assert.match(text, /waggle_process_resident_bytes\{role="gateway"\} [1-9]/)
    assert.is(await metrics.value('waggle_log_entries_total', { audience: 'pub' }), 3)
  })

  test('two roles in one process do not share', async () => {
    const one = new Metrics('one')
    const two = new Metrics('two')
    one.count('waggle_log_unreadable_total', {})
    assert.is(await two.value('waggle_log_unreadable_total'), 0)
  })

  test('the runtime can be observed by them', async () => {
    const metrics = new Metrics('supervisor')
    const observe: Observe = observeRuntime(metrics)
    observe('partition:acquired', { kind: 'agent', partition: 1, epoch: 2, resumedRuns: 0, unsent: 0, ms: 3 })
    observe('command:handled:done', { address: 'agent/c1--billing', type: 'prompt', tenant: 'demo', ms: 4 })
    observe('commit:done', { steps: 5, ms: 6 })
    observe('partition:released', { kind: 'agent', partition: 1, epoch: 2, reason: 'leaving' })
    assert.is(await metrics.value('waggle_commands_total', { kind: 'agent', outcome: 'done' }), 1)
    assert.is(await metrics.value('waggle_commit_steps_total'), 5)
    assert.is(await metrics.value('waggle_partitions_held', { kind: 'agent' }), 0)
    assert.not.match(await metrics.render(), /c1|billing|demo/)
  })
})

suite('trace context', ({ test }) => {
  test('a child stays in the trace of its parent, with an id of its own', () => {
    const parent = newTrace()
    const child = childTrace(parent)
    assert.is(traceId(child), traceId(parent))
    assert.is.not(child, parent)
  })

  test('what is malformed or all zeros begins a new trace', () => {
    const zero = `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`
    for (const bad of [
      undefined,
      '',
      'garbage',
      zero,
      `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
      `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
    ]) {
      assert.match(childTrace(bad), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
      assert.is(traceId(bad), '')
    }
  })
})
