import { assert, suite } from '#test/kit/suite.ts'
import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import type { OpenGateway } from '#test/kit/open-gateway.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { TestSwarm } from '#test/kit/swarm.ts'
import type { FoundPassage, KnowledgeAnswer, SearchResult } from '#shared/contracts/knowledge.ts'

const REFUNDS = `# Refunds

You can return any item within 30 days of delivery. We refund the full price to the card you paid with.

# Delivery

Orders are shipped from Rotterdam within two working days. Express delivery costs 9.50 euros.

# Warranty

Lamps have a warranty of five years. Batteries have a warranty of one year.
`

suite('knowledge, from a file to a quote', ({ test, before, after }) => {
  let swarm: TestSwarm
  let gateway: OpenGateway
  let olga: KnowledgeClient
  before(async () => {
    swarm = await startSwarm({ script: [], host: withKnowledge() })
    await swarm.node('k1')
    gateway = await openGateway(swarm.nats.url, TENANT)
    olga = await KnowledgeClient.of(gateway)
    await olga.collection('handbook')
  })
  after(async () => {
    await gateway.close()
    await swarm.close()
  })

  const search = (question: string, more: object = {}): Promise<SearchResult> =>
    olga.call('POST', 'search', { question, collections: ['handbook'], ...more })

  test('a file is read, found by its words, and quoted to the letter', async () => {
    const document = await olga.ingest('handbook', 'shop.md', REFUNDS)
    assert.is(document.state, 'ready', JSON.stringify(document.error))
    assert.is(document.liveVersion, 1)
    assert.ok(document.chunks >= 1)
    const found = await search('How long is the warranty of lamps?')
    assert.ok(found.covered, `coverage ${found.coverage}`)
    assert.match(found.passages[0]!.text, /five years/)
    const answer = await olga.call<KnowledgeAnswer>('POST', 'query', {
      question: 'How long is the warranty of lamps?',
      collections: ['handbook'],
    })
    assert.match(answer.answer, /“Lamps have a warranty of five years\.” \[1\]/)
    const [citation] = answer.citations
    const passage = await olga.call<{ text: string; title: string }>(
      'GET',
      `documents/${citation!.documentId}/versions/1/passage?start=${citation!.start}&end=${citation!.end}`,
    )
    assert.is(passage.text, citation!.quote)
  })

  test('what is not in the documents is said to be so, with the nearest titles, and kept for those who look after them', async () => {
    const question = 'Which astronaut walked on the moon first?'
    const events = await olga.stream('query', { question, collections: ['handbook'] })
    const answer = events.at(-1)!.data as KnowledgeAnswer
    assert.equal([answer.covered, answer.citations.length], [false, 0])
    assert.match(answer.answer, /not in your documents/)
    const { questions } = await olga.call<{ questions: { question: string; id: string }[] }>(
      'GET',
      'collections/handbook/unanswered',
    )
    assert.equal(
      questions.map((one) => one.question),
      [question],
    )
    await olga.call('POST', 'collections/handbook/answers', { question, answer: 'That was Neil Armstrong.' })
    const again = await olga.call<KnowledgeAnswer>('POST', 'query', {
      question: 'which astronaut walked first on the moon',
      collections: ['handbook'],
    })
    assert.is(again.answer, 'That was Neil Armstrong.')
    const open = await olga.call<{ questions: unknown[] }>('GET', 'collections/handbook/unanswered')
    assert.is(open.questions.length, 0)
  })

  test('the same content is taken once, and a new version replaces the old one whole', async () => {
    const first = await olga.ingest(
      'handbook',
      'fees.txt',
      'The fee for late payment is 12 euros. It is charged once a month.',
    )
    const same = await olga.give(
      'handbook',
      'other-name.txt',
      'The fee for late payment is 12 euros. It is charged once a month.',
    )
    assert.equal([same.documentId, same.duplicate], [first.id, true])
    const second = await olga.ingest('handbook', 'fees.txt', 'The fee for late payment is 15 euros.', { id: first.id })
    assert.equal([second.version, second.liveVersion], [2, 2])
    const found = await search('What is the fee for late payment?')
    const texts = found.passages.filter(({ documentId }) => documentId === first.id).map(({ text }) => text)
    assert.equal(texts, ['The fee for late payment is 15 euros.'])
  })

  test('a removed document is found by nobody from then on, and nothing of it is left', async () => {
    const { id } = await olga.ingest('handbook', 'secret.txt', 'The zanzibar protocol is activated with a silver key.')
    assert.is((await search('zanzibar protocol')).passages[0]?.documentId, id)
    await olga.call('DELETE', `documents/${id}`)
    assert.not.ok((await search('zanzibar protocol')).passages.some(({ documentId }) => documentId === id))
    await swarm.until(
      'knowledge',
      ({ event }) => event.type === 'document:swept' && (event.payload as { documentId: string }).documentId === id,
    )
    const left = await swarm.database.tenant(TENANT, async (sql) => {
      const tables = ['documents', 'document_versions', 'document_pages', 'chunks']
      const counts = []
      for (const table of tables) {
        const column = table === 'documents' ? 'id' : 'document'
        const [row] = await sql.query<{ rows: number }>(
          `select count(*)::int as rows from ${table} where ${column} = $1`,
          [id],
        )
        counts.push(row!.rows)
      }
      const [terms] = await sql.query<{ rows: number }>(
        `select count(*)::int as rows from postings where term like '%zanzibar%'`,
      )
      return [...counts, terms!.rows]
    })
    assert.equal(left, [0, 0, 0, 0, 0])
    assert.equal(
      await swarm.transport.objects('BLOBS').then(async (objects) => (await objects.names(`${TENANT}/`)).length > 0),
      true,
    )
  })

  test('who may not read a document neither finds nor counts it', async () => {
    const { id } = await olga.ingest('handbook', 'salaries.txt', 'The salary of the quartermaster is 5200 euros.', {
      access: 'user:boss,role:payroll',
    })
    const customer = await KnowledgeClient.of(gateway, 'carl', ['customer'])
    const boss = await KnowledgeClient.of(gateway, 'boss', ['customer'])
    const asked = { question: 'What is the salary of the quartermaster?', collections: ['handbook'], explain: true }
    const hidden = await customer.call<SearchResult>('POST', 'search', asked)
    assert.not.ok(hidden.passages.some(({ documentId }: FoundPassage) => documentId === id))
    assert.is(hidden.rarity['quartermast'] ?? 0, 0, 'a hidden document is not counted')
    const seen = await boss.call<SearchResult>('POST', 'search', asked)
    assert.is(seen.passages[0]?.documentId, id)
    const code = await customer.call('GET', `documents/${id}`).then(
      () => 'it was shown',
      (error: unknown) => (error as { code: string }).code,
    )
    assert.is(code, 'NOT_FOUND')
  })

  test('a customer may not change what is known', async () => {
    const customer = await KnowledgeClient.of(gateway, 'carl', ['customer'])
    const code = await customer.give('handbook', 'mine.txt', 'Everything is free.').then(
      () => 'it was taken',
      (error: unknown) => (error as { code: string }).code,
    )
    assert.is(code, 'FORBIDDEN')
  })
})
