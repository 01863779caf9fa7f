import { makeFilter } from '#gateway/cli/commands/watch.ts'
import { runCli } from '#gateway/cli/program.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { CUSTOMER_TOKEN, FakeGateway, OPERATOR_TOKEN } from '../client/fake-gateway.ts'
import { FakeTerminal } from './fake-terminal.ts'

suite('waggle watch', ({ test, beforeEach, afterEach }) => {
  let gateway: FakeGateway
  let env: Record<string, string>

  beforeEach(async () => {
    gateway = await FakeGateway.start()
    env = { WAGGLE_URL: gateway.url, WAGGLE_TOKEN: OPERATOR_TOKEN }
  })
  afterEach(() => gateway.close())

  const offered = (turnId: string): LogEntry => gateway.say('c1', 'human:offered', { turnId, reason: `for ${turnId}` })

  test('goes on behind a cursor, and says where to go on when it ends', async () => {
    offered('t1')
    const { cursor } = offered('t2')
    offered('t3')
    const terminal = new FakeTerminal({ env })
    const running = runCli(['watch', '--after', cursor], terminal)
    await terminal.shows('for t3')
    terminal.interrupt()
    assert.is(await running, 0)
    assert.not.match(terminal.stdout, /for t2/)
    assert.match(terminal.stderr, /go on with --after one\.3/)
  })

  test('prints JSON, and leaves after as many as were asked for', async () => {
    const first = offered('t1')
    offered('t2')
    offered('t3')
    const terminal = new FakeTerminal({ env })
    assert.is(await runCli(['watch', '--json', '--after', first.cursor, '--limit', '2'], terminal), 0)
    const entries = terminal.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogEntry)
    assert.equal(
      entries.map(({ id }) => id),
      ['e2', 'e3'],
    )
  })

  test('goes on over a lost connection without a gap', async () => {
    const start = offered('t0')
    const terminal = new FakeTerminal({ env })
    const running = runCli(['watch', '--json', '--after', start.cursor, '--limit', '3'], terminal)
    offered('t1')
    await terminal.shows('for t1')
    gateway.cut()
    offered('t2')
    await terminal.shows('for t2')
    offered('t3')
    assert.is(await running, 0)
    assert.is(terminal.stdout.trim().split('\n').length, 3)
  })

  test('says that it is for operators', async () => {
    const terminal = new FakeTerminal({ env: { ...env, WAGGLE_TOKEN: CUSTOMER_TOKEN } })
    assert.is(await runCli(['watch'], terminal), 4)
    assert.match(terminal.stderr, /FORBIDDEN/)
  })

  test('filters by kind, type and conversation, and leaves streamed text out unless asked', () => {
    const entry = (type: string, by: string, conversationId = 'c1', payload: object = {}): LogEntry => ({
      cursor: 'one.1',
      conversationId,
      audience: 'ops',
      id: 'e',
      type,
      by,
      at: 0,
      payload,
    })
    const tool = entry('tool:called', 'run/c1--r1')
    const actor = entry('actor:changed', 'system/n1', 'c2', { kind: 'agent', key: 'k', state: 'awake', mailbox: 0 })
    const delta = entry('text:delta', 'run/c1--r1')
    const shown = (options: Parameters<typeof makeFilter>[0]): LogEntry[] =>
      [tool, actor, delta].filter(makeFilter(options))
    assert.equal(shown({}), [tool, actor])
    assert.equal(shown({ deltas: true }), [tool, actor, delta])
    assert.equal(shown({ kind: ['tool'] }), [tool])
    assert.equal(shown({ kind: ['agent', 'run'] }), [tool, actor])
    assert.equal(shown({ type: ['actor:*'] }), [actor])
    assert.equal(shown({ type: ['text:delta'] }), [delta])
    assert.equal(shown({ conversation: 'c2' }), [actor])
    assert.equal(shown({ type: ['tool:call'] }), [])
  })
})
