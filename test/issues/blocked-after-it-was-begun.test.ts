import { Supervisor } from '#shared/contracts/supervisor.ts'
import { effectsOfRun } from '#shared/db/repositories/effects.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'

const script: Script = (messages) =>
  messages.at(-1)?.getType() === 'tool'
    ? { steps: [{ say: ['It is so.'] }] }
    : { steps: [{ call: [{ name: 'lookup', args: { id: '1042' } }] }] }

/**
 * The order forced here: a tool call is let through and begun, its node is killed, and when the run goes on elsewhere the
 * guardrail says no (or says nothing in time). It was called "denied", though it may have happened, and stayed open in the ledger.
 */
for (const idempotent of [false, true])
  suite(
    `a tool call${idempotent ? ' that may be repeated' : ''} that was begun and is blocked afterwards`,
    ({ test }) => {
      test('is told as unknown', async () => {
        const begun = Promise.withResolvers<string>()
        let blocks = false
        const swarm = await startSwarm({
          limits: { leaseMs: 600, handoverMs: 300 },
          script,
          idempotent,
          verdict: (stage) => (blocks && stage === 'tool_call' ? { verdict: 'block', reason: 'no' } : {}),
          tool: async (_args, ctx, { idempotencyKey }) => {
            begun.resolve(idempotencyKey)
            return await new Promise((_resolve, reject) =>
              ctx.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
            )
          },
        })
        try {
          await swarm
            .reach()
            .ref(Supervisor, 'c1')
            .confirm('send', { clientId: 'm1', text: 'Look up 1042.', agent: null, channel: 'test' })
          const key = await begun.promise
          blocks = true
          swarm.kill('n1')
          await swarm.node('n2')
          const entries = await swarm.until('c1', ({ event }) => event.type === 'turn:ended')
          const returned = entries.filter(({ event }) => event.type === 'tool:returned')
          assert.equal(
            returned.map(({ event }) => (event.payload as { status: string }).status),
            ['unknown'],
          )
          const rows = await swarm.database.tenant(TENANT, (sql) =>
            effectsOfRun(sql, `run/${key.split('/').slice(0, 2).join('--')}`),
          )
          assert.equal(
            rows.map(({ status }) => status),
            ['unknown'],
          )
        } finally {
          await swarm.close()
        }
      })
    },
  )
