/** Words said to a turn at work: heard once, at a boundary, and said to be heard, whatever crashes. */
import type { BaseMessage } from '@langchain/core/messages'
import { Agent } from '#shared/contracts/agent.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { SendReceipt } from '#shared/contracts/client.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import type { Script, ScriptTurn } from '#shared/models/scripted/script.ts'
import { heldTool } from '#test/kit/held-tool.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry, SwarmOptions, TestSwarm } from '#test/kit/swarm.ts'

const call: ScriptTurn = { steps: [{ call: [{ name: 'lookup', args: { id: '1' } }] }] }
const say = (text: string): ScriptTurn => ({ steps: [{ say: [text] }] })
const silence: ScriptTurn = { steps: [{ waitMs: 60_000 }] }
const hasResult = (messages: readonly BaseMessage[]): boolean =>
  messages.some((message) => message.getType() === 'tool')

const of = (entries: readonly SwarmEntry[], type: string): Record<string, unknown>[] =>
  entries.filter(({ event }) => event.type === type).map(({ event }) => event.payload as Record<string, unknown>)
const ended = ({ event }: SwarmEntry): boolean => event.type === 'turn:ended'

type Send = (text: string, whileRunning?: WhileRunning) => Promise<SendReceipt>

async function swarmOf(options: SwarmOptions, work: (swarm: TestSwarm, send: Send) => Promise<void>): Promise<void> {
  const swarm = await startSwarm(options)
  let sent = 0
  try {
    await work(swarm, async (text, whileRunning) => {
      const message = { clientId: `m${++sent}`, text, agent: null, channel: 'test' }
      const request = whileRunning === undefined ? message : { ...message, whileRunning }
      return (await swarm.reach().ref(Supervisor, 'c1').confirm('send', request)) as SendReceipt
    })
  } finally {
    await swarm.close()
  }
}

/** Resolves when the agent has been told of a word that its run has not heard. */
async function told(swarm: TestSwarm): Promise<void> {
  const agent = swarm.reach().ref(Agent, ['c1', 'support'])
  for (;;) {
    const [runId = ''] = (await agent.ask('status', {})).running
    const { items } = await agent.ask('pending', { runId, heeded: [], refused: [] })
    if (items.length > 0) return
  }
}

/** No model takes a message between a call and its result. */
function checkOrder(messages: readonly BaseMessage[]): void {
  for (const [index, message] of messages.entries()) {
    const calls = (message as { tool_calls?: unknown[] }).tool_calls ?? []
    for (let next = 1; next <= calls.length; next++) assert.is(messages[index + next]?.getType(), 'tool')
  }
}
const humans = (messages: readonly BaseMessage[]): string[] =>
  messages.filter((message) => message.getType() === 'human').map((message) => message.text)

suite('a message that steers', ({ test }) => {
  test('is heard after the tool result, and the answer follows it', () => {
    const held = heldTool()
    const heard: string[][] = []
    const script: Script = (messages) => {
      checkOrder(messages)
      heard.push(humans(messages))
      return hasResult(messages) ? say('Both.') : call
    }
    return swarmOf({ script, tool: held.tool }, async (swarm, send) => {
      const first = await send('Where is 1042?')
      await held.called
      const second = await send('And 1043?', 'steer')
      assert.is(second.status, 'steering')
      assert.is(second.turnId, first.turnId)
      await told(swarm)
      held.go()
      const entries = await swarm.until('c1', ended)
      assert.equal(heard, [['Where is 1042?'], ['Where is 1042?', 'And 1043?']])
      assert.equal(of(entries, 'message:steered'), [
        { messageId: second.messageId, turnId: first.turnId, step: 2, after: first.messageId },
      ])
      assert.is(of(entries, 'message:completed')[0]?.['parentId'], second.messageId)
      assert.is(of(entries, 'turn:ended').length, 1)
      assert.is(of(entries, 'message:undelivered').length, 0)
      await send('Thanks')
      await swarm.until('c1', ({ event }) => ended({ event } as SwarmEntry) && event.id !== entries.at(-1)!.event.id)
      assert.equal(heard.at(-1), ['Where is 1042?', 'And 1043?', 'Thanks'], 'it stays in the history')
    })
  })

  test('is heard before an answer without a tool call is final', () => {
    const speaking = Promise.withResolvers<void>()
    const script: Script = (messages) => {
      if (humans(messages).length > 1) return say('Yes, and more.')
      speaking.resolve()
      return { steps: [{ say: ['Yes'] }, { waitMs: 300 }] }
    }
    return swarmOf({ script }, async (swarm, send) => {
      await send('Is it there?')
      await speaking.promise
      await send('And more?', 'steer')
      const entries = await swarm.until('c1', ended)
      assert.equal(
        of(entries, 'message:completed').map(({ text }) => text),
        ['Yes, and more.'],
      )
      assert.is(of(entries, 'message:steered')[0]?.['step'], 2)
    })
  })

  test('that comes while an agent is chosen is heard with the first step', () => {
    const held = Promise.withResolvers<void>()
    const heard: string[][] = []
    const script: Script = (messages) => {
      if (messages[0]!.text.startsWith('You route')) {
        held.resolve()
        return { steps: [{ waitMs: 300 }, { call: [{ name: 'transfer_to_support', args: {} }] }] }
      }
      heard.push(humans(messages))
      return say('Both.')
    }
    return swarmOf({ script, agents: ['support', 'billing'] }, async (swarm, send) => {
      await send('one')
      await held.promise
      assert.is((await send('two', 'steer')).status, 'steering')
      const entries = await swarm.until('c1', ended)
      assert.equal(of(entries, 'message:steered').length + of(entries, 'message:undelivered').length, 1)
      assert.equal(heard.at(-1), ['one', 'two'])
    })
  })

  test('that cannot be heard any more is said to be undelivered, and becomes nothing else', () => {
    const held = heldTool()
    let asked = 0
    const script: Script = (messages) => (asked++, hasResult(messages) ? say('Done.') : call)
    return swarmOf({ script, tool: held.tool }, async (swarm, send) => {
      const first = await send('Where is 1042?')
      await held.called
      const second = await send('And 1043?', 'steer')
      await swarm.reach().ref(Supervisor, 'c1').confirm('stop', { turnId: null, reason: 'no more' })
      const entries = await swarm.until('c1', ended)
      const [missed] = of(entries, 'message:undelivered')
      assert.is(missed?.['messageId'], second.messageId)
      assert.is(missed?.['turnId'], first.turnId)
      assert.is(asked, 1)
      assert.is(of(entries, 'turn:started').length, 1, 'it did not become a turn of its own')
      const snapshot = await swarm.reach().ref(Supervisor, 'c1').ask('snapshot', {})
      assert.is(snapshot.branch?.undelivered[0]?.messageId, second.messageId)
      assert.is(snapshot.branch?.leafId, first.messageId)
    })
  })

  test('that a guardrail refuses is not passed on, and that is said with its reason', () => {
    const held = heldTool()
    const heard: string[][] = []
    const script: Script = (messages) => {
      heard.push(humans(messages))
      return hasResult(messages) ? say('One.') : call
    }
    const verdict: SwarmOptions['verdict'] = (stage, text) =>
      stage === 'input' && text.includes('4111') ? { verdict: 'block', reason: 'No card numbers.' } : {}
    return swarmOf({ script, tool: held.tool, verdict }, async (swarm, send) => {
      await send('Where is 1042?')
      await held.called
      await send('My card is 4111', 'steer')
      await told(swarm)
      held.go()
      const entries = await swarm.until('c1', ended)
      assert.is(of(entries, 'message:undelivered')[0]?.['reason'], 'No card numbers.')
      assert.equal(heard.at(-1), ['Where is 1042?'])
      assert.is(of(entries, 'turn:ended')[0]?.['outcome'], 'answered')
    })
  })

  test('with nothing at work simply begins a turn', () =>
    swarmOf({ script: () => say('Yes.') }, async (swarm, send) => {
      assert.is((await send('Hello', 'steer')).status, 'accepted')
      assert.is(of(await swarm.until('c1', ended), 'turn:ended')[0]?.['outcome'], 'answered')
    }))

  test('is the default of an agent that is configured so', () => {
    const held = heldTool()
    const script: Script = (messages) => (hasResult(messages) ? say('Both.') : call)
    return swarmOf({ script, tool: held.tool, agentLimits: { whileRunning: 'steer' } }, async (swarm, send) => {
      await send('Where is 1042?')
      await held.called
      assert.is((await send('And 1043?')).status, 'steering')
      await told(swarm)
      held.go()
      assert.is(of(await swarm.until('c1', ended), 'message:steered').length, 1)
    })
  })
})

suite('a steered turn whose node is killed', ({ test }) => {
  const LIMITS = { leaseMs: 600, handoverMs: 300 }

  test('before its boundary, hears the message once on the next node', () => {
    const held = heldTool()
    const heard: string[][] = []
    const script: Script = (messages) => {
      checkOrder(messages)
      heard.push(humans(messages))
      return hasResult(messages) ? say('Both.') : call
    }
    const tool: SwarmOptions['tool'] = async (args, ctx, made) =>
      made.node === 'n1' ? await held.tool(args, ctx, made) : args
    return swarmOf({ script, tool, idempotent: true, limits: LIMITS }, async (swarm, send) => {
      await send('Where is 1042?')
      await held.called
      const { messageId } = await send('And 1043?', 'steer')
      swarm.kill('n1')
      await swarm.node('n2')
      const entries = await swarm.until('c1', ended)
      assert.equal(heard.at(-1), ['Where is 1042?', 'And 1043?'])
      assert.equal(
        of(entries, 'message:steered').map((entry) => entry['messageId']),
        [messageId],
      )
      assert.is(of(entries, 'message:completed').length, 1)
    })
  })

  test('after the message was heard, finds it in the checkpoint and does not hear it twice', () => {
    const held = heldTool()
    const asked = Promise.withResolvers<void>()
    const heard: string[][] = []
    const after: Record<string, Script> = {
      n1: (messages) => {
        if (!hasResult(messages)) return call
        asked.resolve()
        return silence
      },
      n2: (messages) => {
        checkOrder(messages)
        heard.push(humans(messages))
        return say('Both.')
      },
    }
    return swarmOf({ script: { on: (node) => after[node]! }, tool: held.tool, limits: LIMITS }, async (swarm, send) => {
      await send('Where is 1042?')
      await held.called
      const { messageId } = await send('And 1043?', 'steer')
      await told(swarm)
      held.go()
      await asked.promise
      swarm.kill('n1')
      await swarm.node('n2')
      const entries = await swarm.until('c1', ended)
      assert.equal(heard, [['Where is 1042?', 'And 1043?']], 'once, and the model is asked once more')
      assert.is(of(entries, 'message:steered').length, 1)
      assert.is(of(entries, 'message:undelivered').length, 0)
      const [answer] = of(entries, 'message:completed')
      assert.is(answer?.['parentId'], messageId)
      const rows = await swarm.database.tenant(TENANT, (sql) =>
        sql.query('select id from messages where tenant = $1', [TENANT]),
      )
      assert.is(rows.length, 3)
    })
  })
})
