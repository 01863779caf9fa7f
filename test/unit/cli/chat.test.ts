import { PassThrough } from 'node:stream'
import { runCli } from '#gateway/cli/program.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { FakeGateway, OPERATOR_TOKEN, turnIdOf } from '../client/fake-gateway.ts'
import type { Brain } from '../client/fake-gateway.ts'
import { FakeTerminal } from './fake-terminal.ts'

/** Answers, unless it is told to think. */
const brain: Brain = (gateway, question, id) => {
  const turnId = turnIdOf(question)
  const messageId = `${question.id}a`
  gateway.say(id, 'turn:started', { turnId, messageId: question.id })
  gateway.say(id, 'agent:speaking', { turnId, runId: 'r', agent: 'general', title: 'General', messageId })
  gateway.say(id, 'text:delta', { messageId, offset: 0, text: 'You said ' })
  if (question.text === 'think') return
  gateway.say(
    id,
    'message:completed',
    gateway.fact({ id: messageId, parentId: question.id, text: `You said ${question.text}.` }),
  )
  gateway.say(id, 'turn:ended', { turnId, outcome: 'answered', error: null, report: null, ms: 1 })
}

suite('waggle chat', ({ test, beforeEach, afterEach }) => {
  let gateway: FakeGateway
  let terminal: FakeTerminal
  let input: PassThrough

  beforeEach(async () => {
    gateway = await FakeGateway.start()
    gateway.brain = brain
    gateway.faults.onStop = (id, turnId) => {
      gateway.say(id, 'turn:ended', { turnId, outcome: 'stopped', error: null, report: null, ms: 1 })
    }
    input = new PassThrough()
    terminal = new FakeTerminal({ env: { WAGGLE_URL: gateway.url, WAGGLE_TOKEN: OPERATOR_TOKEN }, input })
  })
  afterEach(() => gateway.close())

  test('asks piped lines one after the other, in one conversation, and leaves at their end', async () => {
    input.end('one\n\ntwo\nthree')
    assert.is(await runCli(['chat', '--quiet'], terminal), 0)
    assert.is(terminal.stdout, 'You said one.\nYou said two.\nYou said three.\n')
    assert.equal(
      gateway.received.map(({ text }) => text),
      ['one', 'two', 'three'],
    )
    assert.is(new Set(gateway.received.map(({ conversationId }) => conversationId)).size, 1)
    assert.is(terminal.listeners, 0)
  })

  test('stops the run at Ctrl-C and goes on; leaves at a Ctrl-C with nothing running', async () => {
    const running = runCli(['chat'], terminal)
    input.write('think\n')
    await terminal.shows('You said ')
    terminal.interrupt()
    await terminal.shows('stopped (1 ms)')
    input.write('again\n')
    await terminal.shows('You said again.')
    await terminal.shows('answered (1 ms)')
    terminal.interrupt()
    assert.is(await running, 0)
    assert.is(gateway.stops.length, 1)
  })

  test('leaves at a second Ctrl-C when the run does not stop', async () => {
    gateway.faults.onStop = () => undefined
    const running = runCli(['chat'], terminal)
    input.write('think\n')
    await terminal.shows('You said ')
    terminal.interrupt()
    terminal.interrupt()
    assert.is(await running, 130)
  })

  test('begins a new conversation on demand, and knows its commands', async () => {
    const running = runCli(['chat'], terminal)
    input.write('one\n')
    await terminal.shows('answered')
    input.write('/id\n')
    await terminal.shows(gateway.received[0]!.conversationId)
    input.write('/new\n/dance\n/stop\ntwo\n')
    await terminal.shows('You said two.')
    await terminal.shows('there is no /dance')
    await terminal.shows('nothing runs')
    input.write('/quit\n')
    assert.is(await running, 0)
    assert.is(new Set(gateway.received.map(({ conversationId }) => conversationId)).size, 2)
  })

  test('says that a message was refused, and goes on', async () => {
    gateway.faults.onSend = ({ text }) => (text === 'no' ? 'refuse' : undefined)
    input.end('no\nyes\n')
    assert.is(await runCli(['chat'], terminal), 0)
    assert.match(terminal.stderr, /BUSY: /)
    assert.match(terminal.stdout, /You said yes\./)
  })

  test('keeps what is said without a connection, and catches up', async () => {
    const running = runCli(['chat'], terminal)
    input.write('one\n')
    await terminal.shows('answered')
    gateway.cut()
    await terminal.shows('the connection is gone')
    input.write('two\n')
    await terminal.shows('You said two.')
    await terminal.shows('caught up')
    input.end()
    assert.is(await running, 0)
    assert.is(gateway.received.filter(({ text }) => text === 'two').length, 1)
    assert.is(terminal.stderr.split('the connection is gone').length, 2)
    assert.is(terminal.stderr.split('caught up').length, 2)
  })
})
