/** What makes a call wait for a person: rules of the tenant, text from outside, a question; and asking for somebody. */
import type { ToolInput } from '#shared/db/repositories/tools.ts'
import { Desk } from '#shared/contracts/review.ts'
import type { ReviewItem } from '#shared/contracts/review.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { decide, ended, parkedItems, payloads, send } from '#test/kit/reviews.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { startSwarm } from '#test/kit/swarm.ts'

const tool = (id: string, more: Partial<ToolInput> = {}): ToolInput => ({
  id,
  title: id,
  description: id,
  kind: 'builtin',
  parameters: { type: 'object', properties: {} },
  ...more,
})

/** One call after the other, each in a step of its own, then the answer. */
function calling(calls: readonly { readonly name: string; readonly args: Record<string, unknown> }[]): {
  readonly script: Script
  readonly read: string[]
} {
  const read: string[] = []
  const script: Script = (messages) => {
    const results = messages.filter((message) => message.getType() === 'tool')
    read.splice(0, read.length, ...results.map((message) => message.text))
    const next = calls[results.length]
    return next === undefined ? { steps: [{ say: ['Done.'] }] } : { steps: [{ call: [next] }] }
  }
  return { script, read }
}

suite('a rule of the tenant', ({ test }) => {
  test('parks the calls that it is about by their arguments, on its terms, one parking after the other', async () => {
    const { script, read } = calling([
      { name: 'lookup', args: { id: 'small' } },
      { name: 'lookup', args: { id: 'large' } },
      { name: 'lookup', args: { id: 'large too' } },
    ])
    const rule = {
      tool: 'look*',
      args: { type: 'object', properties: { id: { type: 'string', pattern: '^large' } } },
      reason: 'Large ones are looked at.',
      team: 'leads',
      expiresMs: 3_600_000,
      onExpiry: 'deny',
    }
    const swarm = await startSwarm({ script, settings: { approvals: [rule] } })
    try {
      await send(swarm, 'c1', 'Look')
      const [first] = await parkedItems(swarm, 'c1')
      assert.equal(
        [first!.proposal, first!.reason, first!.team, first!.onExpiry],
        [{ id: 'large' }, rule.reason, 'leads', 'deny'],
      )
      await decide(swarm, first!, { action: 'approve' })
      const again = await swarm.until('c1', ({ event }) => {
        const { id, state, proposal } = event.payload as ReviewItem
        return event.type === 'review:changed' && id !== first!.id && state === 'open' && proposal['id'] === 'large too'
      })
      const second = payloads(again, 'review:changed').at(-1) as unknown as ReviewItem
      await decide(swarm, second, { action: 'edit', args: { id: 'small after all' }, reason: '' })
      await ended(swarm, 'c1')
      assert.equal(read, ['{"id":"small"}', '{"id":"large"}', '{"id":"small after all"}'])
    } finally {
      await swarm.close()
    }
  })

  test('that cannot be read lets nothing through', async () => {
    const { script, read } = calling([{ name: 'lookup', args: {} }])
    const swarm = await startSwarm({ script, settings: { approvals: [{ tol: 'lookup' }] } })
    try {
      await send(swarm, 'c1', 'Look')
      const entries = await ended(swarm, 'c1')
      assert.match(read[0]!, /Not allowed: The approval rules of this tenant cannot be read/)
      assert.is(payloads(entries, 'tool:called').length, 0)
    } finally {
      await swarm.close()
    }
  })
})

suite('a turn that has read text from outside', ({ test }) => {
  test('asks a person before it does what the text may have asked for, and goes on tainted after it', async () => {
    const { script, read } = calling([
      { name: 'lookup', args: { id: '1' } },
      { name: 'mail', args: { to: 'eve@example.net' } },
      { name: 'mail', args: { to: 'ada@example.net' } },
    ])
    const taints: string[] = []
    const swarm = await startSwarm({
      script,
      tainted: true,
      moreTools: [tool('mail')],
      verdict: (stage, text, { taint, approved }) => {
        if (stage !== 'tool_call' || !text.includes('eve') || approved) {
          if (text.includes('ada')) taints.push(taint.join())
          return {}
        }
        return taint.length === 0 ? {} : { verdict: 'block', text, reason: 'an address of nobody', approvable: true }
      },
    })
    try {
      await send(swarm, 'c1', 'Look, then mail')
      const [item] = await parkedItems(swarm, 'c1')
      assert.equal(
        [item!.reason, item!.onExpiry, item!.evidence.at(-1)],
        ['an address of nobody', 'deny', { kind: 'taint', text: 'tool:lookup' }],
      )
      await decide(swarm, item!, { action: 'approve' })
      const entries = await ended(swarm, 'c1')
      assert.is(read.length, 3)
      assert.equal(
        payloads(entries, 'tool:returned').map(({ status }) => status),
        ['done', 'done', 'done'],
      )
      assert.match(taints[0]!, /tool:lookup/, 'the run that went on has not called it itself')
    } finally {
      await swarm.close()
    }
  })
})

suite('an agent that asks', ({ test }) => {
  test('its operators, goes on with their answer, and no tool is called', async () => {
    const { script, read } = calling([{ name: 'ask_operator', args: { question: 'Which drawer?' } }])
    const swarm = await startSwarm({ script, moreTools: [tool('ask_operator')] })
    try {
      await send(swarm, 'c1', 'Where is it?')
      const [item] = await parkedItems(swarm, 'c1')
      assert.equal([item!.kind, item!.title, item!.schema], ['question', 'Which drawer?', null])
      await decide(swarm, item!, { action: 'answer', text: 'The second.' })
      const entries = await ended(swarm, 'c1')
      assert.equal(read, ['The second.'])
      assert.is(payloads(entries, 'tool:called').length, 0)
    } finally {
      await swarm.close()
    }
  })

  test('for a person, leaves a hand-off at the desk; operators see it in the snapshot, the customer does not', async () => {
    const { script } = calling([{ name: 'lookup', args: {} }])
    const swarm = await startSwarm({ script, tool: () => ({ escalate: true, reason: 'too hard' }) })
    try {
      await send(swarm, 'c1', 'Help!')
      const [item] = await parkedItems(swarm, 'c1')
      assert.equal(
        [item!.kind, item!.reason, item!.evidence],
        ['handoff', 'too hard', [{ kind: 'question', text: 'Help!' }]],
      )
      const ops = await swarm.reach('olga', ['operator']).ref(Supervisor, 'c1').ask('snapshot', { staff: true })
      assert.equal(ops.reviews, [item!])
      const pub = await swarm.reach('ada').ref(Supervisor, 'c1').ask('snapshot', {})
      assert.not.ok('reviews' in pub)
      assert.is((await decide(swarm, item!, { action: 'approve' })).state, 'approved')
      assert.equal(await swarm.reach('olga', ['operator']).ref(Desk, 'c1').ask('items', {}), { items: [] })
    } finally {
      await swarm.close()
    }
  })
})
