/** Messages that come while a turn is at work: each policy does what its receipt says. */
import type { BaseMessage } from '@langchain/core/messages'
import type { SendReceipt } from '#shared/contracts/client.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Script, ScriptTurn } from '#shared/models/scripted/script.ts'
import { heldTool } from '#test/kit/held-tool.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry, SwarmOptions, TestSwarm } from '#test/kit/swarm.ts'

const call: ScriptTurn = { steps: [{ call: [{ name: 'lookup', args: { id: '1' } }] }] }
const say = (text: string): ScriptTurn => ({ steps: [{ say: [text] }] })
const hasResult = (messages: readonly BaseMessage[]): boolean =>
  messages.some((message) => message.getType() === 'tool')
const humans = (messages: readonly BaseMessage[]): string[] =>
  messages.filter((message) => message.getType() === 'human').map((message) => message.text)

const of = (entries: readonly SwarmEntry[], type: string): Record<string, unknown>[] =>
  entries.filter(({ event }) => event.type === type).map(({ event }) => event.payload as Record<string, unknown>)

interface Talk {
  readonly swarm: TestSwarm
  readonly send: (text: string, extra?: { whileRunning?: WhileRunning; editOf?: string }) => Promise<SendReceipt>
  /** The log, once so many turns have ended. */
  readonly ends: (count: number) => Promise<SwarmEntry[]>
  readonly refusal: (work: () => Promise<unknown>) => Promise<string>
}

async function talk(options: SwarmOptions, work: (talk: Talk) => Promise<void>): Promise<void> {
  const swarm = await startSwarm(options)
  let sent = 0
  const ends = async (count: number): Promise<SwarmEntry[]> => {
    for (let seen = 0; ;) {
      const after = seen
      const entries = await swarm.until('c1', ({ event, sequence }) => event.type === 'turn:ended' && sequence > after)
      const found = entries.filter(({ event }) => event.type === 'turn:ended')
      if (found.length >= count) return entries
      seen = found.at(-1)!.sequence
    }
  }
  try {
    await work({
      swarm,
      ends,
      send: async (text, extra = {}) =>
        (await swarm
          .reach()
          .ref(Supervisor, 'c1')
          .confirm('send', {
            clientId: `m${++sent}`,
            text,
            agent: null,
            channel: 'test',
            ...extra,
          })) as SendReceipt,
      refusal: async (attempt) => {
        try {
          await attempt()
        } catch (error) {
          return (error as WaggleError).code
        }
        return 'not refused'
      },
    })
  } finally {
    await swarm.close()
  }
}

/** What the model heard of people, call by call; a tool call first, then an answer. */
function listening(): { script: Extract<Script, (...parameters: never[]) => unknown>; heard: string[][] } {
  const heard: string[][] = []
  return {
    heard,
    script: (messages) => {
      if (hasResult(messages)) return say('Ships.')
      heard.push(humans(messages))
      return humans(messages).at(-1) === 'slow' ? call : say(`re ${humans(messages).at(-1)}`)
    },
  }
}

suite('a message while a turn is at work', ({ test }) => {
  test('reject: is refused and not stored, the turn goes on', () => {
    const held = heldTool()
    const { script } = listening()
    return talk({ script, tool: held.tool }, async ({ send, ends, refusal }) => {
      await send('slow')
      await held.called
      assert.is(await refusal(() => send('more', { whileRunning: 'reject' })), 'BUSY')
      held.go()
      const entries = await ends(1)
      assert.is(of(entries, 'message:received').length, 1)
      assert.is(of(entries, 'message:completed')[0]?.['text'], 'Ships.')
    })
  })

  test('enqueue: waits, follows the answer before it, and hears it', () => {
    const held = heldTool()
    const { script, heard } = listening()
    return talk({ script, tool: held.tool }, async ({ send, ends }) => {
      await send('slow')
      await held.called
      const second = await send('two')
      assert.is(second.status, 'queued')
      held.go()
      const entries = await ends(2)
      const [first, answer] = of(entries, 'message:completed')
      assert.equal(of(entries, 'turn:started')[1], {
        turnId: second.turnId,
        messageId: second.messageId,
        after: first?.['id'],
        joined: [],
      })
      assert.is(answer?.['parentId'], second.messageId)
      assert.equal(heard.at(-1), ['slow', 'two'])
    })
  })

  test('interrupt: stops the turn, keeps what was said, and is next, before those that wait', () => {
    const speaking = Promise.withResolvers<void>()
    const script: Script = (messages) => {
      if (humans(messages).at(-1) !== 'slow') return say(`re ${humans(messages).at(-1)}`)
      return { steps: [{ say: ['Half an'] }, { waitMs: 60_000 }] }
    }
    return talk({ script }, async ({ swarm, send, ends }) => {
      await send('slow')
      void swarm.until('c1', ({ event }) => event.type === 'text:delta').then(() => speaking.resolve())
      await speaking.promise
      await send('waits')
      assert.is((await send('now', { whileRunning: 'interrupt' })).status, 'interrupting')
      const entries = await ends(3)
      assert.equal(
        of(entries, 'message:completed').map(({ text }) => text),
        ['Half an', 're now', 're waits'],
      )
      assert.equal(
        of(entries, 'turn:ended').map(({ outcome }) => outcome),
        ['stopped', 'answered', 'answered'],
      )
    })
  })

  test('rollback: stops the turn and takes it back with its message; nobody hears of it again', () => {
    const { script, heard } = listening()
    const held = heldTool()
    return talk({ script, tool: held.tool }, async ({ swarm, send, ends }) => {
      const before = await send('one')
      const [answer] = of(await ends(1), 'message:completed')
      const slow = await send('slow')
      await held.called
      assert.is((await send('two', { whileRunning: 'rollback' })).status, 'interrupting')
      const entries = await ends(3)
      const [changed] = of(entries, 'branch:changed')
      assert.equal(changed, {
        leafId: answer?.['id'],
        path: [before.messageId, answer?.['id']],
        withdrawn: [slow.messageId],
        reason: 'rollback',
      })
      assert.equal(heard.at(-1), ['one', 'two'], 'it is not in the history')
      const snapshot = await swarm.reach().ref(Supervisor, 'c1').ask('snapshot', {})
      assert.not.ok(snapshot.messages.some(({ text }) => text === 'slow' || text === 'Ships.'))
      assert.is(snapshot.branch?.leafId, snapshot.messages.at(-1)?.id)
    })
  })

  test('debounce: waits for more and answers all of them with one turn', () => {
    const { script, heard } = listening()
    return talk({ script }, async ({ send, ends }) => {
      const first = await send('one', { whileRunning: 'debounce' })
      assert.is(first.status, 'queued')
      const second = await send('two', { whileRunning: 'debounce' })
      assert.is(second.status, 'merged')
      assert.is(second.turnId, first.turnId)
      const entries = await ends(1)
      assert.equal(of(entries, 'turn:started')[0]?.['joined'], [first.messageId])
      assert.equal(heard, [['one\ntwo']])
      assert.is(of(entries, 'message:completed')[0]?.['parentId'], second.messageId)
      await send('three')
      await ends(2)
      assert.equal(heard.at(-1), ['one', 'two', 'three'])
    })
  })
})

suite('a message that waits for more', ({ test }) => {
  test('is stopped like any other, and what stands behind it begins', () => {
    const { script, heard } = listening()
    return talk({ script }, async ({ swarm, send, ends }) => {
      const first = await send('one', { whileRunning: 'debounce' })
      await send('two', { whileRunning: 'enqueue' })
      await swarm.reach().ref(Supervisor, 'c1').confirm('stop', { turnId: first.turnId, reason: 'no more' })
      const entries = await ends(2)
      assert.equal(
        of(entries, 'turn:ended').map(({ outcome }) => outcome),
        ['stopped', 'answered'],
      )
      assert.equal(heard, [['two']])
    })
  })
})

suite('branches of a conversation', ({ test }) => {
  test('answering anew stands beside the answer that was there; either can be gone on with', () => {
    const { script, heard } = listening()
    return talk({ script }, async ({ swarm, send, ends }) => {
      const ref = swarm.reach().ref(Supervisor, 'c1')
      const one = await send('one')
      const [first] = of(await ends(1), 'message:completed')
      const again = (await ref.confirm('regenerate', { messageId: String(first?.['id']), agent: null })) as SendReceipt
      assert.is(again.messageId, one.messageId)
      const second = of(await ends(2), 'message:completed')[1]
      assert.is(second?.['parentId'], one.messageId)
      assert.is.not(second?.['id'], first?.['id'])
      await send('two')
      await ends(3)
      assert.equal(heard.at(-1), ['one', 'two'])
      assert.equal(await ref.confirm('select', { messageId: String(first?.['id']) }), { leafId: first?.['id'] })
      await send('three')
      await ends(4)
      assert.equal(heard.at(-1), ['one', 'three'], 'what was said on the other branch is not heard')
      const { branch } = await ref.ask('snapshot', {})
      assert.equal(await ref.confirm('select', { messageId: String(first?.['id']) }), { leafId: branch?.leafId })
    })
  })

  test('an edited message begins a branch where the first one stood', () => {
    const { script, heard } = listening()
    return talk({ script }, async ({ swarm, send, ends, refusal }) => {
      await send('one')
      await ends(1)
      const two = await send('two')
      await ends(2)
      const edited = await send('two, rather', { editOf: two.messageId })
      const entries = await ends(3)
      assert.equal(heard.at(-1), ['one', 'two, rather'])
      const received = of(entries, 'message:received')
      assert.is(received[2]?.['parentId'], received[1]?.['parentId'])
      assert.is(of(entries, 'branch:changed')[0]?.['leafId'], edited.messageId)
      const eve = swarm.reach('eve', ['operator']).ref(Supervisor, 'c1')
      const text = { clientId: 'x', text: 'x', agent: null, channel: 'test' }
      assert.is(
        await refusal(() =>
          eve.confirm('send', { ...text, editOf: String(of(entries, 'message:completed')[0]?.['id']) }),
        ),
        'BAD_INPUT',
      )
      assert.is(await refusal(() => send('x', { editOf: two.messageId, whileRunning: 'steer' })), 'BAD_INPUT')
      assert.is(await refusal(() => send('x', { editOf: 'none' })), 'NOT_FOUND')
    })
  })

  test('a branch on which nothing came to be said is left again', () => {
    const held = heldTool()
    let calls = 0
    const script: Script = (messages) => (hasResult(messages) || ++calls === 1 ? say('Yes.') : call)
    return talk({ script, tool: held.tool }, async ({ swarm, send, ends }) => {
      const ref = swarm.reach().ref(Supervisor, 'c1')
      await send('one')
      const [answer] = of(await ends(1), 'message:completed')
      await ref.confirm('regenerate', { messageId: String(answer?.['id']), agent: null })
      await held.called
      await ref.confirm('stop', { turnId: null, reason: 'no more' })
      const entries = await ends(2)
      assert.equal(
        of(entries, 'branch:changed').map(({ reason }) => reason),
        ['regenerate', 'nothing said'],
      )
      assert.is(of(entries, 'branch:changed')[1]?.['leafId'], answer?.['id'])
    })
  })
})

suite('a turn that does not end by itself', ({ test }) => {
  test('a stopped one closes every call in the log, and says what stopped and what had happened', () => {
    const held = heldTool()
    let calls = 0
    const script: Script = () => ({ steps: [{ call: [{ name: 'lookup', args: { id: String(++calls) } }] }] })
    const tool: SwarmOptions['tool'] = async (args, ctx, made) =>
      args['id'] === '1' ? args : await held.tool(args, ctx, made)
    return talk({ script, tool, idempotent: true }, async ({ swarm, send, ends }) => {
      await send('slow')
      await held.called
      await swarm.reach().ref(Supervisor, 'c1').confirm('stop', { turnId: null, reason: 'no more' })
      const entries = await ends(1)
      assert.equal(
        of(entries, 'tool:returned').map(({ callId, status }) => [callId, status]),
        of(entries, 'tool:called').map(({ callId }, index) => [callId, index === 0 ? 'done' : 'stopped']),
      )
      const report = of(entries, 'turn:ended')[0]?.['report'] as Record<string, string[]>
      assert.equal(report['happened'], ['lookup'])
      assert.equal(report['couldNot'], [])
      assert.is(report['stopped']?.length, 2, 'the call and the run')
    })
  })

  test('whose run does not listen is ended without it, and its call is closed as unknown', () => {
    const called = Promise.withResolvers<void>()
    const over = Promise.withResolvers<void>()
    const script: Script = () => call
    const tool: SwarmOptions['tool'] = async () => {
      called.resolve()
      return await over.promise
    }
    return talk({ script, tool, limits: { cancelGraceMs: 100 } }, async ({ swarm, send, ends }) => {
      await send('slow')
      await called.promise
      await swarm.reach().ref(Supervisor, 'c1').confirm('stop', { turnId: null, reason: 'no more' })
      const entries = await ends(1)
      assert.is(of(entries, 'tool:returned').length, of(entries, 'tool:called').length)
      assert.is(of(entries, 'tool:returned')[0]?.['status'], 'unknown')
      assert.is(of(entries, 'turn:ended')[0]?.['outcome'], 'stopped')
      over.resolve()
    })
  })

  test('whose agent never answers is ended by the watchdog, by name, and the next one begins', () => {
    const { script } = listening()
    const held = heldTool()
    const stuck: Script = (messages) => (humans(messages).at(-1) === 'slow' ? call : script(messages, 0))
    return talk({ script: stuck, tool: held.tool, turnSilentMs: 5_000 }, async ({ send, ends }) => {
      await send('slow')
      await held.called
      await send('two')
      const entries = await ends(2)
      const [silent, next] = of(entries, 'turn:ended')
      assert.is(silent?.['outcome'], 'failed')
      assert.is((silent?.['error'] as { code: string } | undefined)?.code, 'AGENT_SILENT')
      assert.is(next?.['outcome'], 'answered')
      assert.equal(
        of(entries, 'message:completed').map(({ text }) => text),
        ['re two'],
      )
    })
  })
})
