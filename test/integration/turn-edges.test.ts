/** Turns that do not simply go from question to answer: refused, repaired, stopped, given up, routed otherwise. */
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { Script, ScriptTurn } from '#shared/models/scripted/script.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry, SwarmOptions, TestSwarm } from '#test/kit/swarm.ts'

type Messages = Parameters<Extract<Script, (...parameters: never[]) => unknown>>[0]
type Send = (text: string, agent?: string) => Promise<{ turnId: string; status: string }>

const routes = (messages: Messages): boolean => messages[0]!.text.startsWith('You route')
const hasResult = (messages: Messages): boolean => messages.at(-1)?.getType() === 'tool'
const say = (text: string): ScriptTurn => ({ steps: [{ say: [text] }] })
const call = (args: Record<string, unknown> = { id: '1' }): ScriptTurn => ({
  steps: [{ call: [{ name: 'lookup', args }] }],
})
const silence: ScriptTurn = { steps: [{ waitMs: 60_000 }] }

const of = (entries: readonly SwarmEntry[], type: string): Record<string, unknown>[] =>
  entries.filter(({ event }) => event.type === type).map(({ event }) => event.payload as Record<string, unknown>)
const code = (payload: Record<string, unknown> | undefined): unknown =>
  (payload?.['error'] as { code?: string } | null)?.code

async function swarmOf(options: SwarmOptions, work: (swarm: TestSwarm, send: Send) => Promise<void>): Promise<void> {
  const swarm = await startSwarm(options)
  let sent = 0
  try {
    await work(swarm, async (text, agent) => {
      const message = { clientId: `m${++sent}`, text, agent: agent ?? null, channel: 'test' }
      return (await swarm.reach().ref(Supervisor, 'c1').confirm('send', message)) as { turnId: string; status: string }
    })
  } finally {
    await swarm.close()
  }
}

const endOf = async (swarm: TestSwarm, { turnId }: { turnId: string }): Promise<SwarmEntry[]> =>
  await swarm.until(
    'c1',
    ({ event }) => event.type === 'turn:ended' && (event.payload as { turnId: string }).turnId === turnId,
  )

suite('a run that does not go smoothly', ({ test }) => {
  test('calls tools up to its step limit and then fails by that name, without a message', () =>
    swarmOf({ script: (_messages, at) => call({ id: String(at) }), maxSteps: 3 }, async (swarm, send) => {
      const entries = await endOf(swarm, await send('go on'))
      assert.is(of(entries, 'turn:ended')[0]?.['outcome'], 'failed')
      assert.is(code(of(entries, 'turn:ended')[0]), 'STEP_LIMIT')
      assert.is(of(entries, 'tool:returned').length, 2, 'the last step may not call')
      assert.is(of(entries, 'message:completed').length, 0)
    }))

  test('a model that numbers its calls anew in each answer gets the result of each', () => {
    const results: string[] = []
    const script: Script = (messages) => {
      if (hasResult(messages)) results.push(messages.at(-1)!.text)
      if (results.length === 2) return say('Both.')
      return { steps: [{ call: [{ id: 'call_0', name: 'lookup', args: { id: String(results.length) } }] }] }
    }
    return swarmOf({ script }, async (swarm, send) => {
      await endOf(swarm, await send('two of them'))
      assert.equal(results, ['{"id":"0"}', '{"id":"1"}'])
    })
  })

  test('an answer that does not fit its schema goes back twice, then the run fails and takes it back', () => {
    let asked = 0
    const outputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
    const script: Script = () => (asked++, say('not JSON'))
    return swarmOf({ script, outputSchema }, async (swarm, send) => {
      const entries = await endOf(swarm, await send('how many?'))
      assert.is(asked, 3)
      assert.is(of(entries, 'message:completed').length, 0, 'what is for the model is not said to the customer')
      assert.is(of(entries, 'message:retracted').length, 1)
      assert.is(code(of(entries, 'run:ended')[0]), 'OUTPUT_INVALID')
      assert.is(code(of(entries, 'turn:ended')[0]), 'INTERNAL', 'a matter of operators')
    })
  })

  test('an answer that is repaired is said once more, and its data is there', () => {
    const outputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
    const script: Script = (messages) => say(messages.at(-1)!.text.startsWith('Your answer') ? '{"n":2}' : 'two')
    return swarmOf({ script, outputSchema }, async (swarm, send) => {
      const [message] = of(await endOf(swarm, await send('how many?')), 'message:completed')
      assert.is(message?.['text'], '{"n":2}')
      assert.equal(message?.['data'], { n: 2 })
    })
  })

  test('credentials that are refused are not tried again', () => {
    const script: Script = () => ({ steps: [{ fail: new WaggleError('MODEL_AUTH') }] })
    return swarmOf({ script }, async (swarm, send) => {
      const entries = await endOf(swarm, await send('hello'))
      assert.is(of(entries, 'run:started').length, 1)
      assert.is(code(of(entries, 'run:ended')[0]), 'MODEL_AUTH')
      assert.is(code(of(entries, 'turn:ended')[0]), 'INTERNAL')
      assert.is(of(entries, 'turn:ended')[0]?.['outcome'], 'failed')
    })
  })

  test('a model that stays down is tried again a bounded number of times, then the turn fails', () => {
    let asked = 0
    const script: Script = () => {
      asked++
      return { steps: [{ fail: new WaggleError('MODEL_DOWN') }] }
    }
    return swarmOf({ script, modelLimits: { attempts: 1 } }, async (swarm, send) => {
      const entries = await endOf(swarm, await send('hello'))
      assert.is(of(entries, 'run:started').length, 4, 'the first and three restarts')
      assert.ok(asked <= 4)
      assert.is(code(of(entries, 'run:ended')[0]), 'MODEL_DOWN', 'operators read what it failed of')
      assert.is(of(entries, 'turn:ended')[0]?.['outcome'], 'failed')
      assert.is(of(entries, 'message:completed').length, 0)
    })
  })

  test('a run of many slow steps leaves a few checkpoints, the newest among them', () => {
    const script: Script = (_messages, at) =>
      at < 8 ? { steps: [{ waitMs: 120 }, { call: [{ name: 'lookup', args: { id: String(at) } }] }] } : say('Done.')
    return swarmOf({ script, maxSteps: 12 }, async (swarm, send) => {
      await endOf(swarm, await send('slowly'))
      const [row] = await swarm.database.tenant(TENANT, (sql) =>
        sql.query<{ count: number }>('select count(*)::int as count from checkpoints where tenant = $1', [TENANT]),
      )
      assert.is(row?.count, 4)
    })
  })

  test('a refused answer that was partly heard is taken back, visibly', () =>
    swarmOf(
      {
        script: () => say('First fact. Secret here. '),
        outputMode: 'gated',
        verdict: (stage, text) =>
          stage === 'output' && text.includes('Secret') ? { verdict: 'block', reason: 'No.' } : {},
      },
      async (swarm, send) => {
        const entries = await endOf(swarm, await send('tell me'))
        assert.is(of(entries, 'message:retracted').length, 1)
        assert.is(of(entries, 'message:completed')[0]?.['text'], 'No.')
      },
    ))
})

suite('tool calls of a run', ({ test }) => {
  const tellResult: Script = (messages) =>
    hasResult(messages) ? say(messages.at(-1)!.text) : call({ mail: 'a@b.example' })
  const answerOf = async (options: Omit<SwarmOptions, 'script'>, script = tellResult): Promise<SwarmEntry[]> => {
    let entries: SwarmEntry[] = []
    await swarmOf({ ...options, script }, async (swarm, send) => {
      entries = await endOf(swarm, await send('look'))
    })
    return entries
  }
  const said = (entries: readonly SwarmEntry[]): unknown => of(entries, 'message:completed')[0]?.['text']

  test('a denied call never reaches the tool, and the model is told why', async () => {
    let calls = 0
    const entries = await answerOf({
      tool: () => calls++,
      verdict: (stage) => (stage === 'tool_call' ? { verdict: 'block', reason: 'Not today.' } : {}),
    })
    assert.is(calls, 0)
    assert.is(of(entries, 'tool:called').length, 0)
    assert.is(of(entries, 'tool:returned')[0]?.['status'], 'denied')
    assert.is(said(entries), 'Not allowed: Not today.')
  })

  test('a tool that is none of the agent is denied', async () => {
    const entries = await answerOf({}, (messages) =>
      hasResult(messages) ? say('I cannot.') : { steps: [{ call: [{ name: 'transfer_funds', args: {} }] }] },
    )
    assert.is(of(entries, 'tool:returned')[0]?.['status'], 'denied')
  })

  test('rewritten arguments are the ones that are called and shown', async () => {
    const seen: unknown[] = []
    const entries = await answerOf({
      tool: (args) => seen.push(args),
      verdict: (stage) => (stage === 'tool_call' ? { verdict: 'rewrite', text: '{"mail":"[e-mail]"}' } : {}),
    })
    assert.equal(seen, [{ mail: '[e-mail]' }])
    assert.equal(of(entries, 'tool:called')[0]?.['args'], { mail: '[e-mail]' })
  })

  test('a rewrite that leaves no arguments is a refusal and no crash', async () => {
    const entries = await answerOf({
      verdict: (stage) => (stage === 'tool_call' ? { verdict: 'rewrite', text: '{"mail": [' } : {}),
    })
    assert.is(of(entries, 'tool:returned')[0]?.['status'], 'denied')
    assert.is(of(entries, 'run:started').length, 1)
  })

  test('a tool that answers with an error has failed, and the model hears of it', async () => {
    const entries = await answerOf({
      tool: () => {
        throw new WaggleError('TOOL_FAILED', { said: 'out of stock' }, { expected: true })
      },
    })
    assert.is(of(entries, 'tool:returned')[0]?.['status'], 'failed')
    assert.is(said(entries), 'Failed: out of stock')
  })

  test('only a tool of our own can ask for a person', async () => {
    const tool = (): unknown => ({ escalate: true, reason: 'angry' })
    const own = await answerOf({ tool })
    assert.is(of(own, 'turn:ended')[0]?.['outcome'], 'escalated')
    assert.is(of(own, 'human:offered')[0]?.['reason'], 'angry')
    const foreign = await answerOf({ tool, foreignTool: true })
    assert.is(of(foreign, 'turn:ended')[0]?.['outcome'], 'answered')
    assert.is(of(foreign, 'human:offered').length, 0)
  })
})

suite('a stop', ({ test }) => {
  const stop = (swarm: TestSwarm, turnId: string): Promise<unknown> =>
    swarm.reach().ref(Supervisor, 'c1').confirm('stop', { turnId, reason: 'enough' })

  test('ends a turn that waits without touching the one at work, and one that is being routed', () => {
    const script: Script = (messages) => (routes(messages) ? silence : say('never'))
    return swarmOf({ script, agents: ['support', 'billing'] }, async (swarm, send) => {
      const first = await send('one')
      const second = await send('two')
      assert.is(second.status, 'queued')
      await stop(swarm, second.turnId)
      const queued = await endOf(swarm, second)
      assert.equal(
        of(queued, 'turn:ended').map(({ turnId, outcome }) => ({ turnId, outcome })),
        [{ turnId: second.turnId, outcome: 'stopped' }],
      )
      await stop(swarm, first.turnId)
      const entries = await endOf(swarm, first)
      const report = of(entries, 'turn:ended')[1]?.['report']
      assert.equal(report, { stopped: ['routing'], couldNot: [], happened: [] })
      assert.is(of(entries, 'message:completed').length, 0)
    })
  })

  test('in the middle of an answer keeps exactly what was heard', () => {
    const script: Script = () => ({ steps: [{ say: ['Half an ', 'answer'] }, { waitMs: 60_000 }] })
    return swarmOf({ script }, async (swarm, send) => {
      const turn = await send('speak')
      await swarm.until('c1', ({ event }) => event.type === 'text:delta')
      await stop(swarm, turn.turnId)
      const entries = await endOf(swarm, turn)
      const text = of(entries, 'text:delta').reduce(
        (before, delta) => before.slice(0, Number(delta['offset'])) + String(delta['text']),
        '',
      )
      assert.is(of(entries, 'turn:ended')[0]?.['outcome'], 'stopped')
      assert.is(of(entries, 'message:completed')[0]?.['text'], text)
    })
  })
})

suite('who answers', ({ test }) => {
  const none: Script = (messages) => (routes(messages) ? say('none') : say('Done.'))
  const agents = ['support', 'billing']

  test('nobody, where no agent fits: that is said and a person is offered', () =>
    swarmOf({ script: none, agents }, async (swarm, send) => {
      const entries = await endOf(swarm, await send('sing'))
      assert.is(code(of(entries, 'turn:ended')[0]), 'NO_AGENT')
      assert.is(of(entries, 'human:offered').length, 1)
      assert.is(of(entries, 'message:completed')[0]?.['role'], 'system')
    }))

  test('who is asked for by name, and afterwards whoever answered last; a name that is none is nobody', () =>
    swarmOf({ script: none, agents }, async (swarm, send) => {
      await endOf(swarm, await send('hello', 'billing'))
      await endOf(swarm, await send('1042'))
      const entries = await endOf(swarm, await send('hello', 'nobody'))
      assert.equal(
        of(entries, 'route:decided').map(({ agent }) => agent),
        ['billing', 'billing', null],
      )
    }))

  test('the agent hears what was said before its turn, each answer after its question, and nothing that waits', () => {
    const heard: string[][] = []
    const go = Promise.withResolvers<void>()
    const script: Script = (messages) => {
      if (hasResult(messages)) return say(`answer ${heard.length}`)
      heard.push(messages.slice(1).map((message) => message.text))
      return call()
    }
    return swarmOf({ script, tool: async () => await go.promise.then(() => 'ok') }, async (swarm, send) => {
      await send('same')
      await send('same')
      const last = await send('third')
      go.resolve()
      await endOf(swarm, last)
      assert.equal(heard, [['same'], ['same', 'answer 1', 'same'], ['same', 'answer 1', 'same', 'answer 2', 'third']])
    })
  })

  test('a message sent again gets its receipt even when no more can wait', () =>
    swarmOf({ script: () => silence }, async (swarm, send) => {
      const turns = []
      for (let index = 0; index < 21; index++) turns.push(await send(`question ${index}`))
      try {
        await send('one too many')
        assert.unreachable()
      } catch (error) {
        assert.is((error as { code: string }).code, 'BUSY')
      }
      const again = { clientId: 'm21', text: 'question 20', agent: null, channel: 'test' }
      const receipt = (await swarm.reach().ref(Supervisor, 'c1').confirm('send', again)) as { turnId: string }
      assert.is(receipt.turnId, turns[20]!.turnId)
      assert.is(of(await swarm.log('c1'), 'message:received').length, 21)
    }))

  test('a conversation of long messages still has a snapshot: the newest of them', () =>
    swarmOf({ script: () => say('ok') }, async (swarm, send) => {
      const texts = Array.from({ length: 10 }, (_, index) => `${index}${'é'.repeat(50_000)}`)
      for (const text of texts) await endOf(swarm, await send(text))
      const { messages } = await swarm.reach().ref(Supervisor, 'c1').ask('snapshot', {})
      assert.is(messages.at(-1)?.text, 'ok')
      assert.is(messages.at(-2)?.text, texts[9])
      assert.ok(messages.length < 20)
    }))
})
