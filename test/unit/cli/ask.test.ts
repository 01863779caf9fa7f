import { Readable } from 'node:stream'
import { runCli } from '#gateway/cli/program.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { CUSTOMER_TOKEN, FakeGateway, OPERATOR_TOKEN, turnIdOf } from '../client/fake-gateway.ts'
import { FakeTerminal } from './fake-terminal.ts'

suite('waggle ask', ({ test, beforeEach, afterEach }) => {
  let gateway: FakeGateway
  let env: Record<string, string>

  beforeEach(async () => {
    gateway = await FakeGateway.start()
    env = { WAGGLE_URL: gateway.url, WAGGLE_TOKEN: OPERATOR_TOKEN }
  })
  afterEach(() => gateway.close())

  /** Begins a turn; the test says the rest. */
  const begin = (question: MessageFact, id: string): string => {
    const turnId = turnIdOf(question)
    gateway.say(id, 'turn:started', { turnId, messageId: question.id })
    gateway.say(id, 'agent:speaking', {
      turnId,
      runId: 'r',
      agent: 'billing',
      title: 'Billing',
      messageId: `${question.id}a`,
    })
    return turnId
  }
  const end = (id: string, turnId: string, outcome: 'answered' | 'failed' | 'refused' | 'stopped', code = ''): void => {
    const error = code === '' ? null : { code, message: 'It went wrong.', action: 'Do something.' }
    gateway.say(id, 'turn:ended', { turnId, outcome, error, report: null, ms: 5 })
  }
  const delta = (id: string, question: MessageFact, offset: number, text: string): void => {
    gateway.say(id, 'text:delta', { messageId: `${question.id}a`, offset, text })
  }
  const complete = (id: string, question: MessageFact, text: string): void => {
    gateway.say(id, 'message:completed', gateway.fact({ id: `${question.id}a`, parentId: question.id, text }))
  }

  test('writes the answer to stdout and all else to stderr', async () => {
    gateway.brain = (_, question, id) => {
      const turnId = begin(question, id)
      gateway.say(id, 'route:decided', { turnId, agent: 'billing', reason: 'Money.', ms: 2 })
      gateway.say(id, 'guardrail:checked', {
        turnId,
        runId: 'r',
        stage: 'input',
        guardrail: 'pii',
        verdict: 'pass',
        reason: '',
        ms: 1,
      })
      gateway.say(id, 'tool:called', { turnId, runId: 'r', callId: 'k', tool: 'find_invoice', args: { id: 7 } })
      gateway.say(id, 'tool:returned', {
        turnId,
        runId: 'r',
        callId: 'k',
        tool: 'find_invoice',
        status: 'done',
        result: { due: 12 },
        ms: 3,
      })
      delta(id, question, 0, 'You owe ')
      delta(id, question, 8, '12 euros.')
      complete(id, question, 'You owe 12 euros.')
      end(id, turnId, 'answered')
    }
    const terminal = new FakeTerminal({ env })
    assert.is(await runCli(['ask', 'What do I owe?'], terminal), 0)
    assert.is(terminal.stdout, 'You owe 12 euros.\n')
    for (const line of [
      'Routed to billing: Money',
      'Your message passed “pii”',
      'find_invoice(id: 7)',
      'find_invoice done {"due":12}',
    ]) {
      assert.ok(terminal.stderr.includes(line), `${line} in ${terminal.stderr}`)
    }
    assert.is(terminal.listeners, 0)
  })

  test('is quiet on demand, takes the question from stdin, and asks the agent that was named', async () => {
    gateway.brain = (_, question, id) => {
      const turnId = begin(question, id)
      complete(id, question, `You said: ${question.text}`)
      end(id, turnId, 'answered')
    }
    const terminal = new FakeTerminal({ env, input: Readable.from(['from a pipe\n']) })
    assert.is(await runCli(['ask', '--quiet', '--agent', 'billing', '-'], terminal), 0)
    assert.is(terminal.stdout, 'You said: from a pipe\n')
    assert.is(terminal.stderr, '')
    assert.is(gateway.received[0]?.agent, 'billing')
  })

  test('says when a text begins anew, and ends with the text for good', async () => {
    gateway.brain = (_, question, id) => {
      const turnId = begin(question, id)
      delta(id, question, 0, 'You owe 90')
      delta(id, question, 0, 'You owe 12')
      complete(id, question, 'You owe 12 euros.')
      end(id, turnId, 'answered')
    }
    const terminal = new FakeTerminal({ env, sameScreen: true })
    assert.is(await runCli(['ask', 'What do I owe?'], terminal), 0)
    assert.match(terminal.screen, /You owe 90\nthe text begins anew\nYou owe 12 euros\.\n/)
  })

  test('prints each event as a line of JSON on demand', async () => {
    gateway.brain = (_, question, id) => {
      const turnId = begin(question, id)
      complete(id, question, 'Yes.')
      end(id, turnId, 'answered')
    }
    const terminal = new FakeTerminal({ env })
    assert.is(await runCli(['ask', '--json', 'Well?'], terminal), 0)
    const types = terminal.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    assert.equal(types, ['message:received', 'turn:started', 'agent:speaking', 'message:completed', 'turn:ended'])
  })

  test('does not take the end of another turn of the conversation for its own', async () => {
    const id = gateway.log.open()
    gateway.brain = (_, question) => {
      const turnId = begin(question, id)
      end(id, 't-other', 'failed', 'MODEL_DOWN')
      complete(id, question, 'Mine.')
      end(id, turnId, 'answered')
    }
    const terminal = new FakeTerminal({ env })
    assert.is(await runCli(['ask', '--conversation', id, 'Well?'], terminal), 0)
    assert.is(terminal.stdout, 'Mine.\n')
    assert.not.match(terminal.stderr, /MODEL_DOWN/)
  })

  test('tells a script what came of it', async () => {
    for (const [outcome, code, expected] of [
      ['refused', 'BLOCKED', 5],
      ['failed', 'MODEL_DOWN', 1],
      ['failed', 'NO_AGENT', 5],
      ['stopped', '', 6],
    ] as const) {
      gateway.brain = (_, question, id) => end(id, begin(question, id), outcome, code)
      const terminal = new FakeTerminal({ env })
      assert.is(await runCli(['ask', 'Well?'], terminal), expected, outcome)
      if (code !== '') assert.match(terminal.stderr, /It went wrong\.\n\s+→ Do something\./)
    }
  })

  test('stops the run at Ctrl-C and waits for what it had done', async () => {
    gateway.brain = (_, question, id) => {
      begin(question, id)
      delta(id, question, 0, 'Thinking about')
    }
    gateway.faults.onStop = (id, turnId) => {
      const report = { stopped: ['the run'], couldNot: [], happened: ['send_mail'] }
      gateway.say(id, 'turn:ended', { turnId, outcome: 'stopped', error: null, report, ms: 5 })
    }
    const terminal = new FakeTerminal({ env })
    const running = runCli(['ask', 'Well?'], terminal)
    await terminal.shows('Thinking about')
    terminal.interrupt()
    assert.is(await running, 130)
    assert.match(terminal.stderr, /had already happened: send_mail/)
    assert.is(gateway.stops.length, 1)
  })

  test('leaves at the second Ctrl-C, though the run does not stop', async () => {
    gateway.brain = (_, question, id) => {
      begin(question, id)
      delta(id, question, 0, 'Thinking about')
    }
    const terminal = new FakeTerminal({ env })
    const running = runCli(['ask', 'Well?'], terminal)
    await terminal.shows('Thinking about')
    terminal.interrupt()
    terminal.interrupt()
    assert.is(await running, 130)
  })

  test('goes on over a lost connection', async () => {
    gateway.brain = (_, question, id) => {
      const turnId = begin(question, id)
      delta(id, question, 0, 'One, ')
      gateway.cut()
      delta(id, question, 5, 'two, ')
      complete(id, question, 'One, two, three.')
      end(id, turnId, 'answered')
    }
    const terminal = new FakeTerminal({ env })
    assert.is(await runCli(['ask', 'Count'], terminal), 0)
    assert.is(terminal.stdout, 'One, two, three.\n')
  })

  test('learns from a snapshot that its turn ended while it was away', async () => {
    gateway.brain = (_, question, id) => {
      const turnId = begin(question, id)
      gateway.log.beginAnew()
      gateway.cut()
      complete(id, question, 'Meanwhile.')
      end(id, turnId, 'answered')
    }
    const terminal = new FakeTerminal({ env })
    assert.is(await runCli(['ask', 'Well?'], terminal), 0)
  })

  test('gives up when its time is over, and says where the run goes on', async () => {
    gateway.brain = (_, question, id) => void begin(question, id)
    const terminal = new FakeTerminal({ env })
    assert.is(await runCli(['ask', '--timeout', '300ms', 'Well?'], terminal), 7)
    assert.match(terminal.stderr, /No answer in 300 ms\.\n\s+→ The run goes on: waggle chat --conversation conv/)
  })

  test('says how to start when nothing runs, and who refuses when somebody does', async () => {
    const nobody = new FakeTerminal({ env: { WAGGLE_URL: 'http://127.0.0.1:9', WAGGLE_TOKEN: 'x' } })
    assert.is(await runCli(['ask', 'Well?'], nobody), 3)
    assert.match(nobody.stderr, /No gateway answers at http:\/\/127\.0\.0\.1:9[\s\S]*npm start/)

    const nothing = new FakeTerminal({ env: { WAGGLE_STATE: 'no-such-folder' } })
    assert.is(await runCli(['ask', 'Well?'], nothing), 3)
    assert.match(nothing.stderr, /No gateway is running here\.\n\s+→ Start one with `npm start`/)

    const stranger = new FakeTerminal({ env: { ...env, WAGGLE_TOKEN: 'stolen' } })
    assert.is(await runCli(['ask', 'Well?'], stranger), 4)
    assert.match(stranger.stderr, /UNAUTHENTICATED[\s\S]*→ Send a token/)
  })

  test('serves a customer too, who sees no operators’ events', async () => {
    gateway.brain = (_, question, id) => {
      const turnId = begin(question, id)
      gateway.say(id, 'route:decided', { turnId, agent: 'billing', reason: 'Secret.', ms: 2 })
      complete(id, question, 'Hello.')
      end(id, turnId, 'answered')
    }
    const terminal = new FakeTerminal({ env: { ...env, WAGGLE_TOKEN: CUSTOMER_TOKEN } })
    assert.is(await runCli(['ask', 'Hi'], terminal), 0)
    assert.is(terminal.stdout, 'Hello.\n')
    assert.not.match(terminal.stderr, /Secret/)
  })

  test('refuses an empty question and an unknown option as a mistake of the caller', async () => {
    for (const args of [['ask', ' '], ['ask'], ['ask', '--wrong', 'x'], ['ask', '--timeout', 'soon', 'x'], ['sing']]) {
      assert.is(await runCli(args, new FakeTerminal({ env })), 2, args.join(' '))
    }
    assert.is(await runCli(['ask', '--help'], new FakeTerminal({ env })), 0)
  })
})
