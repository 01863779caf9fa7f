import type { BaseMessage } from '@langchain/core/messages'
import { assert, suite } from '#test/kit/suite.ts'
import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import type { OpenGateway } from '#test/kit/open-gateway.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry, TestSwarm } from '#test/kit/swarm.ts'
import { AgentKnowledge } from '#shared/contracts/agent.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { saveAgent } from '#shared/db/repositories/agents.ts'
import type { ScriptTurn } from '#shared/models/scripted/script.ts'

const SHOP = 'The shop is open from nine to five. It is closed on Sundays. Parking costs 3 euros an hour.'

suite('an agent that answers from documents', ({ test, before, after }) => {
  let swarm: TestSwarm
  let gateway: OpenGateway
  let asked: string[] = []
  let answers: string[] = []
  before(async () => {
    const script = (messages: readonly BaseMessage[]): ScriptTurn => {
      asked.push(messages.map(({ text }) => text).join('\n'))
      return { steps: [{ say: [answers.shift() ?? 'I do not know.'] }] }
    }
    swarm = await startSwarm({ script, host: withKnowledge(), agents: ['support', 'strict', 'lost'] })
    gateway = await openGateway(swarm.nats.url, TENANT)
    const olga = await KnowledgeClient.of(gateway)
    await olga.collection('shop')
    await olga.ingest('shop', 'hours.txt', SHOP)
    await know('support', {})
    await know('strict', { unsupported: 'block' })
    await know('lost', { collections: ['nowhere'] })
  })
  after(async () => {
    await gateway.close()
    await swarm.close()
  })

  const know = (id: string, how: Partial<AgentKnowledge>): Promise<number> =>
    swarm.database.tenant(TENANT, (sql) =>
      saveAgent(
        sql,
        {
          id,
          title: id,
          description: `Handles ${id}.`,
          systemPrompt: 'Help.',
          knowledge: AgentKnowledge.parse({ collections: ['shop'], ...how }),
        },
        { author: 'test' },
      ),
    )

  const ask = async (
    agent: string,
    conversation: string,
    text: string,
    ...said: string[]
  ): Promise<{ message: MessageFact; entries: SwarmEntry[] }> => {
    asked = []
    answers = said
    const send = { clientId: 'm1', text, agent, channel: 'test' }
    await swarm.reach().ref(Supervisor, conversation).confirm('send', send)
    const entries = await swarm.until(conversation, ({ event }) => event.type === 'turn:ended')
    const done = entries.findLast(({ event }) => event.type === 'message:completed')
    return { message: done?.event.payload as MessageFact, entries }
  }

  test('is given the passages, and its answer carries the spans that it cites', async () => {
    const { message } = await ask('support', 'k1', 'When is the shop closed?', 'The shop is closed on Sundays. [1]')
    assert.match(asked[0]!, /<passage n="1" title="hours">/)
    assert.match(asked[0]!, /closed on Sundays/)
    assert.is(message.text, 'The shop is closed on Sundays. [1]')
    const [citation] = message.citations
    assert.is(citation?.quote, 'The shop is open from nine to five. It is closed on Sundays.')
    assert.is(SHOP.slice(citation!.start, citation!.end), citation!.quote)
    assert.equal([citation!.mark, citation!.version, citation!.title], [1, 1, 'hours'])
  })

  test('loses marks that point nowhere, and those of what no passage says', async () => {
    const { message, entries } = await ask(
      'support',
      'k2',
      'When is the shop open?',
      'The shop is open from nine to five. [1] Parking costs 7 euros an hour. [1] Dogs are welcome. [9]',
    )
    assert.is(message.text, 'The shop is open from nine to five. [1] Parking costs 7 euros an hour. Dogs are welcome.')
    assert.equal(
      message.citations.map(({ quote }) => quote),
      ['The shop is open from nine to five.'],
    )
    const flagged = entries.find(({ event }) => event.type === 'message:flagged')
    assert.is(flagged?.audience, 'ops')
    const { unsupported, unknown } = flagged!.event.payload as { unsupported: string[]; unknown: number[] }
    assert.equal([unsupported, unknown], [['Parking costs 7 euros an hour.'], [9]])
  })

  test('is sent back with what is wrong where its policy says so', async () => {
    const { message } = await ask(
      'strict',
      'k3',
      'What does parking cost?',
      'Parking costs 7 euros. [1]',
      'Parking costs 3 euros an hour. [1]',
    )
    assert.is(asked.length, 2)
    assert.match(asked[1]!, /is not what its passage says/)
    assert.is(message.text, 'Parking costs 3 euros an hour. [1]')
    assert.is(message.citations.length, 1)
  })

  test('is given titles alone where the documents hold no answer', async () => {
    const { message } = await ask('support', 'k4', 'Who invented the telephone in Scotland?', 'I do not know.')
    assert.not.match(asked[0]!, /nine to five/)
    assert.equal(message.citations, [])
  })

  test('a curated answer is said without asking the model', async () => {
    const olga = await KnowledgeClient.of(gateway)
    await olga.call('POST', 'collections/shop/answers', {
      question: 'Do you sell gift cards?',
      answer: 'Yes, at the counter.',
    })
    const { message } = await ask('support', 'k5', 'Do you sell a gift card?')
    assert.is(message.text, 'Yes, at the counter.')
    assert.is(asked.length, 0)
    const { answers: curated } = await olga.call<{ answers: { hits: number }[] }>('GET', 'collections/shop/answers')
    assert.is(curated[0]?.hits, 1)
  })

  test('goes on without documents when their collection is not there', async () => {
    const { message } = await ask('lost', 'k6', 'When is the shop open?', 'I cannot look that up.')
    assert.is(message.text, 'I cannot look that up.')
  })
})
