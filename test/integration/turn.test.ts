import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry } from '#test/kit/swarm.ts'

const ended = (entry: SwarmEntry): boolean => entry.event.type === 'turn:ended'
const types = (entries: readonly SwarmEntry[], audience: string): string[] =>
  entries.filter((entry) => entry.audience === audience).map((entry) => entry.event.type)
const payload = (entries: readonly SwarmEntry[], type: string): Record<string, unknown> =>
  entries.find((entry) => entry.event.type === type)?.event.payload as Record<string, unknown>

/** One tool call, then an answer of three words. */
const oneCall: Script = (messages) =>
  messages.at(-1)?.getType() === 'tool'
    ? { steps: [{ say: ['Your ', 'order ', 'ships.'] }] }
    : { steps: [{ call: [{ name: 'lookup', args: { id: '1042' } }] }] }

function foldText(entries: readonly SwarmEntry[], messageId: string): string {
  let text = ''
  for (const { event } of entries) {
    const delta = event.payload as { messageId: string; offset: number; text: string }
    if (event.type === 'text:delta' && delta.messageId === messageId) text = text.slice(0, delta.offset) + delta.text
  }
  return text
}

suite('a turn through the swarm', ({ test }) => {
  test('goes from message to answer, with every step in the log and the deltas folding to the answer', async () => {
    const swarm = await startSwarm({ script: oneCall })
    const ref = swarm.reach().ref(Supervisor, 'c1')
    const receipt = (await ref.confirm('send', {
      clientId: 'm1',
      text: 'Where is 1042?',
      agent: null,
      channel: 'test',
    })) as { turnId: string; status: string }
    assert.is(receipt.status, 'accepted')
    const entries = await swarm.until('c1', ended)
    assert.is(payload(entries, 'turn:ended')['outcome'], 'answered')
    const answer = payload(entries, 'message:completed')
    assert.is(answer['text'], 'Your order ships.')
    assert.is(foldText(entries, String(answer['id'])), 'Your order ships.')
    const ops = types(entries, 'ops')
    for (const type of ['route:decided', 'run:started', 'tool:called', 'tool:returned', 'run:ended'])
      assert.ok(ops.includes(type), `${type} is in the log`)
    assert.ok(ops.indexOf('tool:called') < ops.indexOf('tool:returned'))
    const pub = types(entries, 'pub')
    assert.is(pub.indexOf('message:received') < pub.indexOf('turn:started'), true)
    assert.is(pub.at(-1), 'turn:ended')
    const reminders = await swarm.database.lookup('select key, name from timers where kind = $1', ['supervisor'])
    assert.equal(reminders, [], 'nothing wakes a conversation in which nothing happens')
    await swarm.close()
  })

  test('the same client id again is answered with the same turn and asks nobody twice', async () => {
    const swarm = await startSwarm({ script: oneCall })
    const ref = swarm.reach().ref(Supervisor, 'c1')
    const send = { clientId: 'm1', text: 'Where is 1042?', agent: null, channel: 'test' }
    const first = (await ref.confirm('send', send)) as { turnId: string }
    await swarm.until('c1', ended)
    const second = (await ref.confirm('send', send)) as { turnId: string }
    assert.is(second.turnId, first.turnId)
    try {
      await ref.confirm('send', { ...send, text: 'something else' })
      assert.unreachable()
    } catch (error) {
      assert.is((error as { code: string }).code, 'ID_REUSED')
    }
    assert.is((await swarm.log('c1')).filter((entry) => entry.event.type === 'message:received').length, 1)
    await swarm.close()
  })

  test('messages sent while it is busy wait in order and each is answered', async () => {
    const swarm = await startSwarm({ script: oneCall })
    const ref = swarm.reach().ref(Supervisor, 'c1')
    for (let index = 0; index < 4; index++)
      await ref.confirm('send', { clientId: `m${index}`, text: `question ${index}`, agent: null, channel: 'test' })
    const all = await untilCount(swarm, 4)
    const received = all
      .filter((entry) => entry.event.type === 'message:received')
      .map((entry) => (entry.event.payload as { id: string }).id)
    const answered = all
      .filter((entry) => entry.event.type === 'message:completed')
      .map((entry) => (entry.event.payload as { parentId: string }).parentId)
    assert.equal(answered, received)
    await swarm.close()
  })

  test('a stop ends the turn, keeps what was said and reports what had happened', async () => {
    const waiting = Promise.withResolvers<void>()
    const swarm = await startSwarm({
      script: oneCall,
      tool: async (_args, ctx) => {
        waiting.resolve()
        await new Promise((_resolve, reject) =>
          ctx.signal.addEventListener('abort', () => reject(new Error('aborted'))),
        )
      },
    })
    const ref = swarm.reach().ref(Supervisor, 'c1')
    await ref.confirm('send', { clientId: 'm1', text: 'Where is 1042?', agent: null, channel: 'test' })
    await waiting.promise
    assert.is(
      ((await ref.confirm('stop', { turnId: null, reason: 'changed my mind' })) as { status: string }).status,
      'stopping',
    )
    const entries = await swarm.until('c1', ended)
    const end = payload(entries, 'turn:ended')
    assert.is(end['outcome'], 'stopped')
    assert.ok((end['report'] as { stopped: string[] }).stopped.length > 0)
    await swarm.close()
  })

  test('a refused input never reaches the model, and the customer reads why', async () => {
    let calls = 0
    const swarm = await startSwarm({
      script: () => {
        calls++
        return { steps: [{ say: ['never'] }] }
      },
      verdict: (stage) => (stage === 'input' ? { verdict: 'block', reason: 'Please leave out card numbers.' } : {}),
    })
    await swarm
      .reach()
      .ref(Supervisor, 'c1')
      .confirm('send', { clientId: 'm1', text: '4111', agent: null, channel: 'test' })
    const entries = await swarm.until('c1', ended)
    assert.is(payload(entries, 'turn:ended')['outcome'], 'refused')
    assert.is(payload(entries, 'message:completed')['text'], 'Please leave out card numbers.')
    assert.is(calls, 0)
    await swarm.close()
  })

  test('gated output releases whole sentences only after their check, and nothing after a refused one', async () => {
    const swarm = await startSwarm({
      script: () => ({ steps: [{ say: ['First fact. Sec', 'ret here. Third fact. '] }] }),
      outputMode: 'gated',
      verdict: (stage, text) =>
        stage === 'output' && text.includes('Secret') ? { verdict: 'block', reason: 'That may not be said.' } : {},
    })
    await swarm
      .reach()
      .ref(Supervisor, 'c1')
      .confirm('send', { clientId: 'm1', text: 'tell me', agent: null, channel: 'test' })
    const entries = await swarm.until('c1', ended)
    const said = entries
      .filter((entry) => entry.audience === 'pub')
      .map((entry) => JSON.stringify(entry.event.payload))
      .join('')
    assert.not.ok(said.includes('Secret'))
    assert.is(payload(entries, 'turn:ended')['outcome'], 'refused')
    await swarm.close()
  })

  test('a stranger can neither read nor write the conversation; the tenant next door sees nothing', async () => {
    const swarm = await startSwarm({ script: oneCall })
    await swarm
      .reach('ada')
      .ref(Supervisor, 'c1')
      .confirm('send', { clientId: 'm1', text: 'Where is 1042?', agent: null, channel: 'test' })
    await swarm.until('c1', ended)
    for (const attempt of [
      () => swarm.reach('eve').ref(Supervisor, 'c1').ask('snapshot', {}),
      () =>
        swarm
          .reach('eve')
          .ref(Supervisor, 'c1')
          .confirm('send', { clientId: 'x', text: 'hi', agent: null, channel: 'test' }),
    ]) {
      try {
        await attempt()
        assert.unreachable()
      } catch (error) {
        assert.is((error as { code: string }).code, 'FORBIDDEN')
      }
    }
    try {
      await swarm.reach('ada', ['customer'], 'globex').ref(Supervisor, 'c1').ask('snapshot', {})
      assert.unreachable()
    } catch (error) {
      assert.is((error as { code: string }).code, 'NOT_FOUND')
    }
    await swarm.close()
  })
})

async function untilCount(swarm: Awaited<ReturnType<typeof startSwarm>>, count: number): Promise<SwarmEntry[]> {
  let seen = 0
  for (;;) {
    const entries = await swarm.until('c1', (entry) => ended(entry) && entry.sequence > seen)
    const ends = entries.filter(ended)
    if (ends.length >= count) return entries
    seen = ends.at(-1)!.sequence
  }
}
