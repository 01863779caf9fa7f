/** What the supervisor leaves at the desk, and what becomes of it there: drafts, hand-offs and budgets. */
import { Desk } from '#shared/contracts/review.ts'
import { listAgents, saveAgent } from '#shared/db/repositories/agents.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { TAKE, all, isA, person } from '#test/kit/desk-people.ts'
import { decide, parkedItems } from '#test/kit/reviews.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { TestSwarm } from '#test/kit/swarm.ts'

const openItems = async (swarm: TestSwarm): Promise<readonly { readonly kind: string }[]> =>
  (await swarm.reach('olga', ['operator']).ref(Desk, 'c1').ask('items', {})).items

suite('decided at the desk', ({ test }) => {
  test('an edited draft is said as the person wrote it; one that a takeover made pointless is nobody’s', async () => {
    let answers = 0
    const swarm = await startSwarm({ script: () => ({ steps: [{ say: [`Answer ${++answers}.`] }] }) })
    const ada = person(swarm, 'c1', 'ada', ['customer'])
    const olga = person(swarm, 'c1', 'olga', ['operator'])
    await ada.send('Hello?')
    await swarm.until('c1', isA('turn:ended'))
    await olga.control({ action: 'supervise', on: true, reason: '' })
    const asked = await ada.send('Where is it?')
    const [draft] = await parkedItems(swarm, 'c1')
    assert.equal([draft?.kind, draft?.proposal], ['draft_reply', { text: 'Answer 2.' }])
    await decide(swarm, draft!, { action: 'edit', args: { text: 'On its way.' }, reason: '' })
    const said = await swarm.until(
      'c1',
      isA('turn:ended', ({ turnId }) => turnId === asked.turnId),
    )
    assert.is(all(said, 'message:completed').at(-1)?.text, 'On its way.')
    await ada.send('And now?')
    await swarm.until(
      'c1',
      isA(
        'review:changed',
        ({ kind, state, proposal }) => kind === 'draft_reply' && state === 'open' && proposal['text'] === 'Answer 3.',
      ),
    )
    await olga.control(TAKE)
    await swarm.until(
      'c1',
      isA('review:changed', ({ state }) => state === 'superseded'),
    )
    assert.equal(await openItems(swarm), [])
    await swarm.close()
  })

  test('an accepted hand-off gives the voice to whoever accepts it', async () => {
    const script: Script = (messages) =>
      messages.at(-1)?.getType() === 'tool'
        ? { steps: [{ say: ['…'] }] }
        : { steps: [{ call: [{ name: 'lookup', args: {} }] }] }
    const swarm = await startSwarm({ script, tool: () => ({ escalate: true, reason: 'too hard' }) })
    await person(swarm, 'c1', 'ada', ['customer']).send('Help!')
    const [item] = await parkedItems(swarm, 'c1')
    await decide(swarm, item!, { action: 'approve' })
    const entries = await swarm.until('c1', isA('control:changed'))
    const [change] = all(entries, 'control:changed')
    assert.equal([change?.owner, change?.mode], ['olga', 'human'])
    await swarm.close()
  })

  test('a budget that is raised lets the turn go on where it stopped, without doing anything twice', async () => {
    const calls: string[] = []
    const script: Script = (messages) => {
      const done = messages.filter((message) => message.getType() === 'tool').length
      return done < 3
        ? { steps: [{ call: [{ name: 'lookup', args: { id: String(done) } }] }] }
        : { steps: [{ say: ['Done.'] }] }
    }
    const swarm = await startSwarm({ script, tool: (args) => (calls.push(String(args['id'])), 'x'.repeat(600)) })
    await swarm.database.tenant(TENANT, async (sql) => {
      for (const { id, title, description, systemPrompt } of await listAgents(sql)) {
        const limits = { tokens: 1_210, onSpent: 'ask' }
        await saveAgent(sql, { id, title, description, systemPrompt, limits, tools: ['lookup'] }, { author: 'test' })
      }
    })
    await person(swarm, 'c1', 'ada', ['customer']).send('hello')
    const [item] = await parkedItems(swarm, 'c1')
    assert.is(item?.kind, 'budget')
    assert.ok(calls.length < 3, `stopped in the middle: ${calls.join()}`)
    await decide(swarm, item!, { action: 'edit', args: { tokens: 50_000 }, reason: '' })
    const entries = await swarm.until('c1', isA('turn:ended'))
    assert.is(all(entries, 'turn:ended')[0]?.outcome, 'answered')
    assert.equal(calls, ['0', '1', '2'])
    assert.equal(await openItems(swarm), [])
    await swarm.close()
  })
})
