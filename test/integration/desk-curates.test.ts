/** What a person writes at the desk is kept, where they say so, and said to whoever asks the same, without a model. */
import { AgentKnowledge } from '#shared/contracts/agent.ts'
import { Ingestion } from '#shared/contracts/ingestion.ts'
import { CollectionSettings } from '#shared/contracts/knowledge.ts'
import { Desk } from '#shared/contracts/review.ts'
import type { Decision, ReviewItem } from '#shared/contracts/review.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { saveAgent } from '#shared/db/repositories/agents.ts'
import { listUnanswered } from '#shared/db/repositories/knowledge/asked.ts'
import { listCurated } from '#shared/db/repositories/knowledge/curated.ts'
import type { CuratedRow } from '#shared/db/repositories/knowledge/curated.ts'
import type { ToolInput } from '#shared/db/repositories/tools.ts'
import type { Script } from '#shared/models/scripted/script.ts'
import { all, isA, person } from '#test/kit/desk-people.ts'
import { withKnowledge } from '#test/kit/knowledge.ts'
import { decide, parkedItems } from '#test/kit/reviews.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry, TestSwarm } from '#test/kit/swarm.ts'

const QUESTION = 'Do you wrap parcels as gifts?'
const WRITTEN = 'Yes, at the counter, for two euros.'
const EDIT: Decision = { action: 'edit', args: { text: WRITTEN }, reason: '', curate: true }

const ASKING: ToolInput = {
  id: 'ask_operator',
  title: 'Ask an operator',
  description: 'Asks.',
  kind: 'builtin',
  parameters: { type: 'object', properties: { question: { type: 'string' } } },
}

/** A swarm whose agent `support` looks in the collection `shop`, and `lost` in none. */
async function open(script: Script, more: Partial<Parameters<typeof startSwarm>[0]> = {}): Promise<TestSwarm> {
  const swarm = await startSwarm({
    script,
    host: withKnowledge(),
    agents: ['support', 'lost'],
    moreTools: [ASKING],
    ...more,
  })
  const collection = { id: 'shop', title: 'Shop', description: '', settings: CollectionSettings.parse({}) }
  await swarm.reach('olga', ['operator']).ref(Ingestion, 'main').confirm('createCollection', collection)
  await swarm.database.tenant(TENANT, (sql) => {
    const knowledge = AgentKnowledge.parse({ collections: ['shop'] })
    const support = { id: 'support', title: 'support', description: 'Handles support.', systemPrompt: 'Help.' }
    return saveAgent(sql, { ...support, knowledge }, { author: 'test' })
  })
  return swarm
}

let messages = 0
async function ask(swarm: TestSwarm, conversation: string, agent: string, text: string): Promise<string> {
  const send = { clientId: `m${++messages}`, text, agent, channel: 'test' }
  const { turnId } = (await swarm.reach().ref(Supervisor, conversation).confirm('send', send)) as { turnId: string }
  return turnId
}

const endOf = (swarm: TestSwarm, conversation: string, turnId: string): Promise<SwarmEntry[]> =>
  swarm.until(
    conversation,
    isA('turn:ended', (ended) => ended.turnId === turnId),
  )

/** A draft of the agent that waits at the desk. */
async function drafted(swarm: TestSwarm, conversation: string, agent: string): Promise<ReviewItem> {
  await endOf(swarm, conversation, await ask(swarm, conversation, agent, 'Hello.'))
  await person(swarm, conversation, 'olga', ['operator']).control({ action: 'supervise', on: true, reason: '' })
  await ask(swarm, conversation, agent, QUESTION)
  const [item] = await parkedItems(swarm, conversation)
  assert.is(item?.kind, 'draft_reply')
  return item!
}

const curated = (swarm: TestSwarm): Promise<CuratedRow[]> =>
  swarm.database.tenant(TENANT, (sql) => listCurated(sql, 'shop'))
const isKept = (swarm: TestSwarm, itemId: string): Promise<SwarmEntry[]> =>
  swarm.until(
    'knowledge',
    isA('answer:curated', (answer) => answer.itemId === itemId),
  )
const openItems = async (swarm: TestSwarm, conversation: string): Promise<readonly ReviewItem[]> =>
  (await swarm.reach('olga', ['operator']).ref(Desk, conversation).ask('items', {})).items

suite('an answer that a person writes at the desk', ({ test, before, after }) => {
  let swarm: TestSwarm
  let asked = 0
  before(async () => {
    swarm = await open((said) => {
      asked += 1
      const isTold = said.at(-1)?.getType() === 'tool'
      const asks = said.findLast((message) => message.getType() === 'human')?.text.includes('drawer') === true
      return asks && !isTold
        ? { steps: [{ call: [{ name: 'ask_operator', args: { question: 'Which drawer?' } }] }] }
        : { steps: [{ say: ['I do not know.'] }] }
    })
  })
  after(() => swarm.close())

  test('over a draft is said to the next one who asks the same, once kept, without the model being asked', async () => {
    const item = await drafted(swarm, 'c1', 'support')
    assert.equal(item.evidence, [{ kind: 'question', text: QUESTION }])
    const unanswered = await swarm.database.tenant(TENANT, (sql) => listUnanswered(sql, 'shop', 10))
    assert.ok(unanswered.some(({ question }) => question === QUESTION))
    const decided = await decide(swarm, item, EDIT)
    assert.equal([decided.state, decided.decision?.decision], ['edited', EDIT])
    await isKept(swarm, item.id)
    const said = await endOf(swarm, 'c1', item.turnId)
    assert.is(all(said, 'message:completed').at(-1)?.text, WRITTEN)
    const [kept] = await curated(swarm)
    assert.equal([kept!.question, kept!.answer, kept!.hits, kept!.createdBy], [QUESTION, WRITTEN, 0, 'olga'])
    const left = await swarm.database.tenant(TENANT, (sql) => listUnanswered(sql, 'shop', 10))
    assert.not.ok(left.some(({ question }) => question === QUESTION))

    const before = asked
    const turn = await ask(swarm, 'c2', 'support', 'do you wrap a parcel as gift?')
    assert.is(all(await endOf(swarm, 'c2', turn), 'message:completed').at(-1)?.text, WRITTEN)
    assert.is(asked, before)
    assert.equal(
      (await curated(swarm)).map(({ hits }) => hits),
      [1],
    )

    // The same again, somebody too late, and the command itself delivered once more.
    assert.equal((await decide(swarm, item, EDIT)).revision, decided.revision)
    const late: Decision = { ...EDIT, args: { text: 'No.' } }
    assert.is(await codeOf(decide(swarm, item, late, 'otto')), 'REVIEW_DECIDED')
    const command = { collection: 'shop', question: QUESTION, answer: WRITTEN, itemId: item.id }
    const writer = swarm.reach('olga', ['operator']).ref(Ingestion, 'main')
    await writer.confirm('curate', command, { id: `curate-${item.id}` })
    assert.equal(
      (await curated(swarm)).map(({ answer, hits }) => [answer, hits]),
      [[WRITTEN, 1]],
    )
    const entries = await swarm.log('knowledge')
    assert.is(all(entries, 'answer:curated').length, 1)
  })

  test('to a question of the agent is kept for what the customer asked', async () => {
    const question = 'In which drawer are the labels?'
    const turn = await ask(swarm, 'c3', 'support', question)
    const [item] = await parkedItems(swarm, 'c3')
    assert.equal([item?.kind, item?.evidence], ['question', [{ kind: 'question', text: question }]])
    await decide(swarm, item!, { action: 'answer', text: 'In the second.', curate: true })
    await isKept(swarm, item!.id)
    await endOf(swarm, 'c3', turn)
    const before = asked
    const next = await endOf(swarm, 'c4', await ask(swarm, 'c4', 'support', question))
    assert.is(all(next, 'message:completed').at(-1)?.text, 'In the second.')
    assert.is(asked, before)
  })

  test('is refused where its agent has no collection to keep it in; nothing is decided then', async () => {
    const item = await drafted(swarm, 'c5', 'lost')
    const before = await curated(swarm)
    assert.is(await codeOf(decide(swarm, item, EDIT)), 'REVIEW_NO_COLLECTION')
    assert.equal(await openItems(swarm, 'c5'), [item])
    const { curate: _kept, ...edit } = EDIT
    assert.is((await decide(swarm, item, edit)).state, 'edited')
    assert.equal(await curated(swarm), before)
  })

  test('is refused to customers, and where it is too long to be kept', async () => {
    const item = await drafted(swarm, 'c6', 'support')
    const { id: itemId, nonce, argsHash } = item
    const request = { itemId, nonce, argsHash, decision: EDIT }
    assert.is(await codeOf(swarm.reach('ada').ref(Desk, 'c6').confirm('decide', request)), 'FORBIDDEN')
    const writer = swarm.reach('ada').ref(Ingestion, 'main')
    const command = { collection: 'shop', question: QUESTION, answer: 'No.', itemId }
    assert.is(await codeOf(writer.confirm('curate', command)), 'FORBIDDEN')
    const long: Decision = { ...EDIT, args: { text: 'x'.repeat(9_000) } }
    assert.is(await codeOf(decide(swarm, item, long)), 'BAD_INPUT')
    assert.equal(await openItems(swarm, 'c6'), [item])
  })
})

suite('a node that ends after the decision', ({ test }) => {
  test('leaves the answer to the next one, which keeps it once', async () => {
    const swarm = await open(() => ({ steps: [{ say: ['I do not know.'] }] }), {
      limits: { leaseMs: 600, handoverMs: 300 },
    })
    try {
      const item = await drafted(swarm, 'c1', 'support')
      await swarm.node('n2')
      await decide(swarm, item, EDIT)
      swarm.kill('n1')
      const entries = await isKept(swarm, item.id)
      assert.is(all(entries, 'answer:curated').length, 1)
      assert.equal(
        (await curated(swarm)).map(({ answer }) => answer),
        [WRITTEN],
      )
    } finally {
      await swarm.close()
    }
  })
})
