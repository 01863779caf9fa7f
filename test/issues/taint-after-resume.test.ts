/**
 * A run that went on from a checkpoint had not called the tools whose results lie in it, and so did not know that text
 * from outside was in the turn: what only a person may allow (I14) was allowed.
 */
import type { Script } from '#shared/models/scripted/script.ts'
import { ended, send } from '#test/kit/reviews.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { startSwarm } from '#test/kit/swarm.ts'

suite('a run that is resumed elsewhere', ({ test }) => {
  test('knows of the text from outside that its checkpoint holds', async () => {
    const reached = Promise.withResolvers<void>()
    const script: Script = (messages) => {
      const results = messages.filter((message) => message.getType() === 'tool').length
      if (results === 2) return { steps: [{ say: ['Done.'] }] }
      return { steps: [{ call: [{ name: 'lookup', args: { id: results === 0 ? 'first' : 'second' } }] }] }
    }
    const seen: string[] = []
    const swarm = await startSwarm({
      script,
      limits: { leaseMs: 600, handoverMs: 300 },
      idempotent: true,
      tainted: true,
      // What is stored before the second call is made holds the result of the first.
      tool: async (args, ctx, { node }) => {
        if (node !== 'n1' || args['id'] === 'first') return args
        reached.resolve()
        return await new Promise((_resolve, reject) =>
          ctx.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
        )
      },
      verdict: (stage, text, { node, taint }) => {
        if (stage === 'tool_call') seen.push(`${node} ${text} ${taint.join()}`)
        return {}
      },
    })
    try {
      await send(swarm, 'c1', 'Look both up')
      await reached.promise
      swarm.kill('n1')
      await swarm.node('n2')
      await ended(swarm, 'c1')
      assert.equal(seen, ['n1 {"id":"first"} ', 'n1 {"id":"second"} tool:lookup', 'n2 {"id":"second"} tool:lookup'])
    } finally {
      await swarm.close()
    }
  })
})
