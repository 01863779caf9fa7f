/** A call that needs a person ends its run; a decision lets another run go on from there, whoever was killed meanwhile. */
import type { Decision } from '#shared/contracts/review.ts'
import { listFeedback } from '#shared/db/repositories/feedback.ts'
import type { ToolInput } from '#shared/db/repositories/tools.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { effectsOfRun } from '#shared/db/repositories/effects.ts'
import type { Script, ScriptTurn } from '#shared/models/scripted/script.ts'
import { decide, ended, parkedItems, payloads, send } from '#test/kit/reviews.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { LookupCall, SwarmEntry, SwarmOptions, TestSwarm } from '#test/kit/swarm.ts'

const LIMITS = { leaseMs: 600, handoverMs: 300 }
const REFUND: ToolInput = {
  id: 'refund',
  title: 'Refund',
  description: 'Pays money back.',
  kind: 'builtin',
  needsApproval: true,
  parameters: {
    type: 'object',
    properties: { id: { type: 'string' }, cents: { type: 'integer', maximum: 5_000 } },
    required: ['id', 'cents'],
    additionalProperties: false,
  },
}

const both: ScriptTurn = {
  steps: [
    {
      call: [
        { name: 'lookup', args: { id: '1042' } },
        { name: 'refund', args: { id: '1042', cents: 900 } },
      ],
    },
  ],
}
const say: ScriptTurn = { steps: [{ say: ['Done.'] }] }

/** One step with a lookup, which needs nobody, and a refund; then the answer. What the model reads is kept. */
function refunding(read: string[] = []): Script {
  return (messages) => {
    const results = messages.filter((message) => message.getType() === 'tool')
    if (results.length === 0) return both
    read.push(...results.map((message) => message.text))
    return say
  }
}

interface Calls {
  readonly made: { readonly args: Readonly<Record<string, unknown>>; readonly call: LookupCall }[]
  readonly tool: NonNullable<SwarmOptions['tool']>
}

function calls(): Calls {
  const made: Calls['made'] = []
  return { made, tool: (args, _ctx, call) => (made.push({ args, call }), { ok: args['id'] }) }
}

/** One turn of `refunding` up to its end, with one decision. */
async function turn(
  decision: Decision,
  check: (found: {
    readonly swarm: TestSwarm
    readonly entries: readonly SwarmEntry[]
    readonly made: Calls['made']
    readonly read: readonly string[]
  }) => unknown,
): Promise<void> {
  const { made, tool } = calls()
  const read: string[] = []
  const swarm = await startSwarm({ script: refunding(read), tool, moreTools: [REFUND] })
  try {
    await send(swarm, 'c1', 'Refund 1042')
    const [item] = await parkedItems(swarm, 'c1')
    assert.equal(
      made.map(({ args }) => args),
      [{ id: '1042' }],
      'what needs nobody is done before',
    )
    await decide(swarm, item!, decision)
    await check({ swarm, entries: await ended(swarm, 'c1'), made, read })
  } finally {
    await swarm.close()
  }
}

suite('a tool call that needs a person', ({ test }) => {
  test('is shown with its reason, its arguments and their schema, and made when it is approved', async () => {
    await turn({ action: 'approve' }, ({ entries, made, read }) => {
      const [first] = payloads(entries, 'review:changed')
      assert.equal(
        [first!['kind'], first!['tool'], first!['title'], first!['proposal'], first!['schema'], first!['reason']],
        [
          'tool_call',
          'refund',
          'Refund',
          { id: '1042', cents: 900 },
          REFUND.parameters,
          'refund is never called without approval.',
        ],
      )
      assert.equal(
        payloads(entries, 'review:changed').map(({ state }) => state),
        ['open', 'approved'],
      )
      assert.equal(
        made.map(({ args }) => args),
        [{ id: '1042' }, { id: '1042', cents: 900 }],
      )
      assert.is(read.length, 2)
      assert.is(payloads(entries, 'turn:ended')[0]!['outcome'], 'answered')
      assert.equal(
        payloads(entries, 'message:completed').map(({ text }) => text),
        ['Done.'],
      )
    })
  })

  test('is called with the arguments of whoever edited them, without a word of a refusal', async () => {
    const args = { id: '1042', cents: 500 }
    await turn({ action: 'edit', args, reason: 'too much' }, async ({ swarm, entries, made }) => {
      assert.equal(made.at(-1)!.args, args)
      assert.equal(
        payloads(entries, 'tool:returned').map(({ status }) => status),
        ['done', 'done'],
      )
      assert.equal(payloads(entries, 'tool:called').at(-1)!['args'], args)
      const [feedback] = await swarm.database.tenant(TENANT, (sql) => listFeedback(sql))
      assert.equal(
        [feedback!.label, feedback!.proposed, feedback!.decided, feedback!.reason, feedback!.decidedBy, feedback!.tool],
        ['edited', { id: '1042', cents: 900 }, args, 'too much', 'olga', 'refund'],
      )
    })
  })

  test('is not made when it is rejected; the agent reads why and goes on', async () => {
    await turn({ action: 'reject', reason: 'the order is too old' }, async ({ swarm, entries, made, read }) => {
      assert.is(made.length, 1)
      assert.match(read.at(-1)!, /decided against.*the order is too old/)
      assert.is(payloads(entries, 'turn:ended')[0]!['outcome'], 'answered')
      const [feedback] = await swarm.database.tenant(TENANT, (sql) => listFeedback(sql, { label: 'rejected' }))
      assert.is(feedback!.reason, 'the order is too old')
    })
  })

  test('is answered by a person in place of the tool', async () => {
    await turn({ action: 'answer', text: 'I have paid it by hand.' }, ({ entries, made, read }) => {
      assert.is(made.length, 1)
      assert.is(read.at(-1), 'I have paid it by hand.')
      assert.is(payloads(entries, 'tool:returned').at(-1)!['status'], 'answered')
    })
  })
})

suite('a parked run', ({ test }) => {
  test('goes on elsewhere after its node was killed, and repeats nothing that was done', async () => {
    const { made, tool } = calls()
    const swarm = await startSwarm({ script: refunding(), tool, moreTools: [REFUND], limits: LIMITS })
    try {
      await send(swarm, 'c1', 'Refund 1042')
      const [item] = await parkedItems(swarm, 'c1')
      swarm.kill('n1')
      await swarm.node('n2')
      await decide(swarm, item!, { action: 'approve' })
      const entries = await ended(swarm, 'c1')
      assert.is(payloads(entries, 'turn:ended')[0]!['outcome'], 'answered')
      assert.equal(
        made.map(({ call, args }) => [call.node, args['cents'] ?? 'lookup']),
        [
          ['n1', 'lookup'],
          ['n2', 900],
        ],
      )
      const started = payloads(entries, 'run:started').map(({ runId }) => runId)
      assert.is(new Set(started).size, 2, 'another run')
      const effects = await swarm.database.tenant(TENANT, (sql) => effectsOfRun(sql, `run/c1--${String(started[1])}`))
      assert.equal(
        effects.map(({ tool: name, status }) => [name, status]),
        [['refund', 'done']],
      )
    } finally {
      await swarm.close()
    }
  })

  test('killed while it makes the approved call, finds the decision and the ledger again', async () => {
    const reached = Promise.withResolvers<void>()
    const made: string[] = []
    const tool: NonNullable<SwarmOptions['tool']> = async (args, ctx, { node }) => {
      made.push(`${node} ${String((args['cents'] as number | undefined) ?? 'lookup')}`)
      if (node === 'n2' || args['cents'] === undefined) return { ok: true }
      reached.resolve()
      return await new Promise((_resolve, reject) =>
        ctx.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
      )
    }
    const read: string[] = []
    const swarm = await startSwarm({ script: refunding(read), tool, moreTools: [REFUND], limits: LIMITS })
    try {
      await send(swarm, 'c1', 'Refund 1042')
      const [item] = await parkedItems(swarm, 'c1')
      await decide(swarm, item!, { action: 'approve' })
      await reached.promise
      swarm.kill('n1')
      await swarm.node('n2')
      const entries = await ended(swarm, 'c1')
      assert.equal(made, ['n1 lookup', 'n1 900'], 'in doubt, and so not repeated')
      assert.match(read.at(-1)!, /not known whether refund happened/)
      assert.is(payloads(entries, 'turn:ended')[0]!['outcome'], 'answered')
      assert.is(await codeOf(decide(swarm, item!, { action: 'reject', reason: 'late' }, 'otto')), 'REVIEW_DECIDED')
    } finally {
      await swarm.close()
    }
  })

  test('is stopped with its turn: its items are over, and nobody can decide about them any more', async () => {
    const { made, tool } = calls()
    const swarm = await startSwarm({ script: refunding(), tool, moreTools: [REFUND] })
    try {
      await send(swarm, 'c1', 'Refund 1042')
      const [item] = await parkedItems(swarm, 'c1')
      await swarm.reach().ref(Supervisor, 'c1').confirm('stop', { turnId: null, reason: 'by ada' })
      const entries = await swarm.until(
        'c1',
        // The desk and the supervisor are two actors: either may be heard first.
        (_entry, entries) =>
          entries.some(({ event }) => (event.payload as { state?: string }).state === 'superseded') &&
          entries.some(({ event }) => event.type === 'turn:ended'),
      )
      const report = payloads(entries, 'turn:ended')[0]!['report'] as { stopped: string[]; happened: string[] }
      assert.equal(report.happened, ['lookup'])
      assert.ok(report.stopped.includes(`review ${item!.id}`))
      assert.is(await codeOf(decide(swarm, item!, { action: 'approve' })), 'REVIEW_DECIDED')
      assert.is(made.length, 1)
    } finally {
      await swarm.close()
    }
  })
})
