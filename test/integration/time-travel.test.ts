/** Looking back at a run, and going on from where it was. */
import type { BaseMessage } from '@langchain/core/messages'
import type { SendReceipt } from '#shared/contracts/client.ts'
import { Directory } from '#shared/contracts/directory.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry } from '#test/kit/swarm.ts'

const of = (entries: readonly SwarmEntry[], type: string): Record<string, unknown>[] =>
  entries.filter(({ event }) => event.type === type).map(({ event }) => event.payload as Record<string, unknown>)
const results = (messages: readonly BaseMessage[]): number =>
  messages.filter((message) => message.getType() === 'tool').length
/** Longer than checkpoints are gathered for: each step is stored. */
const STEP_MS = 150
const CALLS = 3

suite('the past of a run', ({ test }) => {
  test('is listed and looked at by operators, and forked: what was done before the checkpoint is not done again', async () => {
    let answers = 0
    let calls = 0
    const script: Script = (messages) =>
      results(messages) < CALLS
        ? { steps: [{ waitMs: STEP_MS }, { call: [{ name: 'lookup', args: { id: String(results(messages)) } }] }] }
        : { steps: [{ waitMs: STEP_MS }, { say: [`Answer ${++answers}.`] }] }
    const swarm = await startSwarm({ script, tool: (args) => (calls++, args) })
    try {
      const customer = swarm.reach()
      const operator = swarm.reach('olga', ['operator'])
      const message = { clientId: 'm1', text: 'Where are they?', agent: null, channel: 'test' }
      const question = (await customer.ref(Supervisor, 'c1').confirm('send', message)) as SendReceipt
      const ended = ({ event }: SwarmEntry): boolean => event.type === 'turn:ended'
      const entries = await swarm.until('c1', ended)
      const [first] = of(entries, 'message:completed')
      const runId = String(of(entries, 'run:started')[0]?.['runId'])
      const code = async (work: Promise<unknown>): Promise<string> =>
        await work.then(
          () => 'not refused',
          (error: WaggleError) => error.code,
        )
      const directory = operator.pool(Directory, 'main')
      assert.is(await code(customer.pool(Directory, 'main').ask('checkpoints', { runId })), 'FORBIDDEN')
      assert.is(await code(directory.ask('checkpoints', { runId: 'none' })), 'NOT_FOUND')
      const { checkpoints } = await directory.ask('checkpoints', { runId })
      assert.ok(checkpoints.length > 1)
      assert.is(checkpoints[0]?.answer, 'Answer 1.')
      // The latest one from which the model is still to be asked.
      const open = checkpoints.find(({ answer, messages }) => answer === '' && messages % 2 === 1)
      const checkpointId = open?.id ?? ''
      const state = await directory.ask('checkpoint', { runId, checkpointId })
      assert.is(state.messages[0]?.text, 'Where are they?')
      assert.is(state.messages.at(-1)?.role, 'tool')
      assert.equal(state.messages[1]?.calls, [{ name: 'lookup', args: { id: '0' } }])
      const [before, done] = [calls, state.messages.filter(({ role }) => role === 'tool').length]

      assert.is(
        await code(customer.ref(Supervisor, 'c1').confirm('fork', { runId, checkpointId })),
        'FORBIDDEN',
        'a customer does not fork',
      )
      const supervisor = operator.ref(Supervisor, 'c1')
      assert.is(await code(supervisor.confirm('fork', { runId, checkpointId: 'none' })), 'NOT_FOUND')
      const forked = (await supervisor.confirm('fork', { runId, checkpointId })) as SendReceipt
      assert.is(forked.messageId, question.messageId)
      const more = await swarm.until(
        'c1',
        ({ event }) => event.type === 'turn:ended' && (event.payload as { turnId: string }).turnId === forked.turnId,
      )
      const second = of(more, 'message:completed')[1]
      assert.is(second?.['text'], 'Answer 2.')
      assert.is(second?.['parentId'], first?.['parentId'], 'beside the first answer')
      assert.is(calls - before, CALLS - done)
      assert.equal(
        of(more, 'branch:changed').map(({ reason }) => reason),
        ['fork'],
      )
      assert.is((await directory.ask('checkpoints', { runId })).checkpoints.length, checkpoints.length)
    } finally {
      await swarm.close()
    }
  })
})
