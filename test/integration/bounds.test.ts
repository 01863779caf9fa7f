/** What bounds a turn: what it may spend, what goes in circles, who hands it to whom. */
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { listAgents, saveAgent } from '#shared/db/repositories/agents.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { spend, spentOn } from '#shared/db/repositories/spending.ts'
import type { Script, ScriptTurn } from '#shared/models/scripted/script.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry, SwarmOptions, TestSwarm } from '#test/kit/swarm.ts'

type Messages = Parameters<Extract<Script, (...parameters: never[]) => unknown>>[0]
type Limits = Readonly<Record<string, unknown>>

const say = (text: string): ScriptTurn => ({ steps: [{ say: [text] }] })
const call = (name: string, args: Record<string, unknown>): ScriptTurn => ({ steps: [{ call: [{ name, args }] }] })
const results = (messages: Messages): number => messages.filter((message) => message.getType() === 'tool').length
const payloads = (entries: readonly SwarmEntry[], type: string): Record<string, unknown>[] =>
  entries.filter(({ event }) => event.type === type).map(({ event }) => event.payload as Record<string, unknown>)
const codeOf = (payload: Record<string, unknown> | undefined): unknown =>
  (payload?.['error'] as { code?: string } | null)?.code

/** A swarm whose agents have these limits, and whose tenant has these settings. */
async function bounded(
  options: SwarmOptions & { limits2?: Readonly<Record<string, Limits>>; settings?: Limits },
  work: (swarm: TestSwarm) => Promise<void>,
): Promise<void> {
  const swarm = await startSwarm(options)
  try {
    await swarm.database.tenant(TENANT, async (sql) => {
      await saveTenant(sql, { name: 'Acme', settings: options.settings ?? {} })
      for (const { id, title, description, systemPrompt } of await listAgents(sql)) {
        const limits = options.limits2?.[id]
        if (limits !== undefined)
          await saveAgent(sql, { id, title, description, systemPrompt, limits }, { author: 'test' })
      }
    })
    await work(swarm)
  } finally {
    await swarm.close()
  }
}

let sent = 0
async function send(swarm: TestSwarm, text: string, agent: string | null = 'support'): Promise<{ turnId: string }> {
  const message = { clientId: `m${++sent}`, text, agent, channel: 'test' }
  return (await swarm.reach().ref(Supervisor, 'c1').confirm('send', message)) as { turnId: string }
}
const until = (swarm: TestSwarm, type: string, times = 1): Promise<SwarmEntry[]> => {
  let seen = new Set<number>()
  return swarm.until('c1', ({ sequence, event }) => {
    if (event.type === type) seen = seen.add(sequence)
    return seen.size >= times
  })
}
const more = { granted: true, tokens: 0, costMicros: 0, wallMs: 0 }
const raise = (swarm: TestSwarm, turnId: string, given: Partial<typeof more>, roles = ['operator']): Promise<unknown> =>
  swarm
    .reach('olga', roles)
    .ref(Supervisor, 'c1')
    .confirm('raise', { turnId, ...more, ...given })

/** Three calls of the tool, then an answer. */
const working: Script = (messages) => {
  const done = results(messages)
  return done < 3 ? call('lookup', { id: String(done) }) : say('Done.')
}
/** Of one call of this model: what is reserved for its answer, and a little for a prompt. */
const ONE_CALL = 1_150
/** Of a model that takes its time. */
const SLOW_MS = 300

suite('a budget', ({ test }) => {
  test('that is spent ends the turn by that name, before the call that it does not cover', () => {
    let asked = 0
    const script: Script = (messages, at) => (
      asked++,
      (working as (m: Messages, at: number) => ScriptTurn)(messages, at)
    )
    return bounded({ script, limits2: { support: { tokens: 500 } } }, async (swarm) => {
      await send(swarm, 'hello')
      const entries = await until(swarm, 'turn:ended')
      assert.is(codeOf(payloads(entries, 'turn:ended')[0]), 'BUDGET_SPENT')
      assert.is(asked, 0, 'it is reserved before, not counted after')
      const [spent] = payloads(entries, 'budget:spent')
      assert.equal(
        [spent?.['what'], spent?.['scope'], spent?.['policy'], spent?.['limit']],
        ['tokens', 'turn', 'end', 500],
      )
      assert.is(payloads(entries, 'message:completed').length, 0)
    })
  })

  test('that is nearly spent is told to the agent, once to operators, and the turn may still end well', () => {
    const told: boolean[] = []
    const script: Script = (messages) => {
      told.push(messages[0]!.text.includes('most of what this turn may spend'))
      return (working as (m: Messages, at: number) => ScriptTurn)(messages, 0)
    }
    return bounded({ script, limits2: { support: { tokens: ONE_CALL + 100 } } }, async (swarm) => {
      await send(swarm, 'hello')
      const entries = await until(swarm, 'turn:ended')
      assert.ok(told.some(Boolean))
      assert.is(payloads(entries, 'budget:warned').length, 1)
    })
  })

  test('with the policy to ask waits, and goes on where it stopped when it is raised; nothing is done twice', () => {
    const calls: string[] = []
    return bounded(
      {
        script: working,
        tool: (args) => (calls.push(String(args['id'])), 'x'.repeat(600)),
        limits2: { support: { tokens: ONE_CALL + 60, onSpent: 'ask' } },
      },
      async (swarm) => {
        const { turnId } = await send(swarm, 'hello')
        const first = await until(swarm, 'budget:spent')
        assert.is(payloads(first, 'turn:ended').length, 0, 'it waits')
        assert.is(payloads(first, 'run:ended')[0]?.['outcome'], 'parked')
        const before = [...calls]
        assert.ok(before.length > 0 && before.length < 3, `stopped in the middle: ${before.join()}`)
        assert.is(await refusal(raise(swarm, turnId, { tokens: 1 }, ['customer'])), 'FORBIDDEN')
        await raise(swarm, turnId, { tokens: 50_000 })
        const entries = await until(swarm, 'turn:ended')
        assert.is(payloads(entries, 'turn:ended')[0]?.['outcome'], 'answered')
        assert.is(payloads(entries, 'message:completed').at(-1)?.['text'], 'Done.')
        assert.equal(calls, ['0', '1', '2'])
        assert.is(await refusal(raise(swarm, turnId, {})), 'CONFLICT')
        const used = payloads(entries, 'run:ended').map(({ usage }) => (usage as { inputTokens: number }).inputTokens)
        assert.ok(used[1]! > used[0]!, 'the second run counts what the first has used')
      },
    )
  })

  test('that somebody does not raise ends the turn, and one that waits can be stopped; the next in line begins', () =>
    bounded({ script: working, limits2: { support: { tokens: 100, onSpent: 'ask' } } }, async (swarm) => {
      const first = await send(swarm, 'one')
      const second = await send(swarm, 'two')
      await until(swarm, 'budget:spent')
      await raise(swarm, first.turnId, { granted: false })
      const entries = await until(swarm, 'budget:spent', 2)
      assert.is(codeOf(payloads(entries, 'turn:ended')[0]), 'BUDGET_SPENT')
      await swarm.reach().ref(Supervisor, 'c1').confirm('stop', { turnId: second.turnId, reason: 'enough' })
      assert.equal(
        payloads(await until(swarm, 'turn:ended', 2), 'turn:ended').map(({ outcome }) => outcome),
        ['failed', 'stopped'],
      )
    }))

  test('survives a crash: the run that is resumed elsewhere has spent what it had spent', () => {
    let crash = true
    const died = Promise.withResolvers<void>()
    const script = {
      on:
        (node: string): Script =>
        (messages) => {
          if (node === 'n1' && results(messages) === 2 && crash) {
            crash = false
            died.resolve()
            return { steps: [{ waitMs: 60_000 }] }
          }
          return (working as (m: Messages, at: number) => ScriptTurn)(messages, 0)
        },
    }
    return bounded({ script, limits: { leaseMs: 1_500 }, idempotent: true }, async (swarm) => {
      await send(swarm, 'hello')
      await died.promise
      await swarm.node('n2')
      swarm.kill('n1')
      const entries = await swarm.until('c1', ({ event }) => event.type === 'turn:ended', 40_000)
      const [ended] = payloads(entries, 'run:ended')
      assert.is(ended?.['outcome'], 'answered')
      assert.is(ended?.['steps'], 4)
      const { outputTokens } = ended!['usage'] as { outputTokens: number }
      assert.ok(outputTokens > 0)
    })
  })

  test('of time ends at the first model call that comes later; raised, the turn goes on with what it had done', () => {
    const calls: string[] = []
    const script: Script = (messages) =>
      results(messages) === 0
        ? { steps: [{ waitMs: SLOW_MS }, { call: [{ name: 'lookup', args: { id: '1' } }] }] }
        : say('Done.')
    const limits2 = { support: { wallMs: SLOW_MS / 2, onSpent: 'ask' } }
    return bounded({ script, tool: (args) => (calls.push(String(args['id'])), 'found'), limits2 }, async (swarm) => {
      const { turnId } = await send(swarm, 'hello')
      const [spent] = payloads(await until(swarm, 'budget:spent'), 'budget:spent')
      assert.equal([spent?.['what'], spent?.['limit'], spent?.['policy']], ['wallMs', SLOW_MS / 2, 'ask'])
      assert.ok((spent?.['used'] as number) >= SLOW_MS - 20)
      await raise(swarm, turnId, { wallMs: 600_000 })
      const entries = await until(swarm, 'turn:ended')
      assert.is(payloads(entries, 'message:completed').at(-1)?.['text'], 'Done.')
      assert.equal(calls, ['1'])
    })
  })

  test('of a day is that of all conversations of the tenant, and of that day alone', () => {
    const settings = { budget: { day: { tokens: 1_000_000 } } }
    const day = (ago: number): string => new Date(Date.now() - ago).toISOString().slice(0, 10)
    return bounded({ script: () => say('Hello.'), settings }, async (swarm) => {
      const spendMore = (when: string, tokens: number): Promise<void> =>
        swarm.database.tenant(TENANT, (sql) => spend(sql, when, { tokens, costMicros: 0 }))
      await spendMore(day(86_400_000), 1_000_000)
      await send(swarm, 'hello')
      const first = await until(swarm, 'turn:ended')
      assert.is(payloads(first, 'turn:ended')[0]?.['outcome'], 'answered', 'another day is another matter')
      await spendMore(day(0), 999_000)
      const message = { clientId: 'other', text: 'hello', agent: 'support', channel: 'test' }
      await swarm.reach('ben').ref(Supervisor, 'c2').confirm('send', message)
      const second = await swarm.until('c2', ({ event }) => event.type === 'turn:ended')
      assert.is(
        codeOf(payloads(second, 'turn:ended')[0]),
        'BUDGET_SPENT',
        'nothing is left for a conversation of its own',
      )
    })
  })

  test('in money goes by the price table', () => {
    const prices = { 'scripted/test': { inputPerMillion: 2, outputPerMillion: 10 } }
    return bounded({ script: working, settings: { prices } }, async (swarm) => {
      await send(swarm, 'hello')
      const [ended] = payloads(await until(swarm, 'run:ended'), 'run:ended')
      const usage = ended!['usage'] as { inputTokens: number; outputTokens: number; costMicros: number }
      // Rounded up for each call.
      const exact = usage.inputTokens * 2 + usage.outputTokens * 10
      assert.ok(usage.costMicros >= exact && usage.costMicros <= exact + 4, `${usage.costMicros} of ${exact}`)
    })
  })

  test('of a conversation and of a day bounds every turn, is reserved while it works and settled after', () => {
    const settings = { budget: { conversation: { tokens: 2_000 }, day: { tokens: 2_000_000 } } }
    return bounded({ script: () => say('Hello.'), settings }, async (swarm) => {
      const today = new Date().toISOString().slice(0, 10)
      const spent = (): Promise<number> =>
        swarm.database.tenant(TENANT, async (sql) => (await spentOn(sql, today)).tokens)
      for (let turns = 1; turns <= 3; turns++) {
        await send(swarm, 'hello '.repeat(200))
        await until(swarm, 'turn:ended', turns)
      }
      const entries = await until(swarm, 'turn:ended', 3)
      const used = payloads(entries, 'run:ended').reduce((sum, { usage }) => {
        const { inputTokens, outputTokens } = usage as { inputTokens: number; outputTokens: number }
        return sum + inputTokens + outputTokens
      }, 0)
      assert.is(await spent(), used, 'the day has what was used, and nothing reserved any more')
      const outcomes = payloads(entries, 'turn:ended').map((ended) => codeOf(ended) ?? ended['outcome'])
      assert.is(outcomes[0], 'answered')
      assert.is(outcomes.at(-1), 'BUDGET_SPENT', 'the conversation has nothing left for another')
    })
  })
})

suite('what goes in circles', ({ test }) => {
  test('the same call again and again is refused to the model, then the run is ended', () => {
    let made = 0
    const script: Script = () => call('lookup', { id: '1' })
    return bounded({ script, tool: () => (made++, 'same'), maxSteps: 20 }, async (swarm) => {
      await send(swarm, 'go')
      const entries = await until(swarm, 'turn:ended')
      assert.is(made, 3, 'three times it was made')
      assert.is(codeOf(payloads(entries, 'turn:ended')[0]), 'LOOP_CUT')
      assert.equal(
        payloads(entries, 'loop:cut').map(({ what, times, ended }) => [what, times, ended]),
        [
          ['tool', 3, false],
          ['tool', 4, false],
          ['tool', 5, true],
        ],
      )
    })
  })

  test('a model that changes its mind after a refusal answers well', () => {
    const script: Script = (messages) =>
      messages.at(-1)!.text.startsWith('Not done: this very call') ? say('Enough.') : call('lookup', { id: '1' })
    return bounded({ script }, async (swarm) => {
      await send(swarm, 'go')
      const entries = await until(swarm, 'turn:ended')
      assert.is(payloads(entries, 'message:completed').at(-1)?.['text'], 'Enough.')
    })
  })

  test('agents hand a turn over with a reason, in the same turn, and the other one answers', () => {
    const script: Script = (messages) =>
      messages[0]!.text.includes('handed to you by support: wants money back')
        ? say('Refunded.')
        : call('transfer_to_billing', { reason: 'wants money back' })
    const limits2 = { support: { handoffs: ['billing'] } }
    return bounded({ script, agents: ['support', 'billing'], limits2 }, async (swarm) => {
      const { turnId } = await send(swarm, 'refund me')
      const entries = await until(swarm, 'turn:ended')
      assert.equal(payloads(entries, 'turn:transferred'), [
        { turnId, from: 'support', to: 'billing', reason: 'wants money back' },
      ])
      const [answer] = payloads(entries, 'message:completed')
      assert.equal([answer?.['author'], answer?.['text']], ['billing', 'Refunded.'])
      assert.equal(
        payloads(entries, 'run:ended').map(({ agent, outcome }) => [agent, outcome]),
        [
          ['support', 'handed-over'],
          ['billing', 'answered'],
        ],
      )
    })
  })

  test('two agents that hand a turn to and fro are cut, and the turn ends', () => {
    const script: Script = (messages) =>
      call(messages[0]!.text.includes('handed to you by support') ? 'transfer_to_support' : 'transfer_to_billing', {})
    const limits2 = { support: { handoffs: ['billing'] }, billing: { handoffs: ['support'] } }
    return bounded({ script, agents: ['support', 'billing'], limits2 }, async (swarm) => {
      await send(swarm, 'help')
      const entries = await until(swarm, 'turn:ended')
      const [cut] = payloads(entries, 'loop:cut')
      assert.equal([cut?.['what'], cut?.['path']], ['handoff', ['support', 'billing', 'support', 'billing']])
      assert.is(codeOf(payloads(entries, 'turn:ended')[0]), 'LOOP_CUT')
    })
  })
})

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'no refusal',
    (error: { code?: unknown }) => error.code,
  )
}
