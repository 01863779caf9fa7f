/** Documents pass the tenant's guardrails where their collection says so: what they mask or refuse is nowhere afterwards. */
import type { KnowledgeAnswer, SearchResult } from '#shared/contracts/knowledge.ts'
import { checkRows } from '#test/kit/guard-rows.ts'
import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import type { OpenGateway } from '#test/kit/open-gateway.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { TestSwarm } from '#test/kit/swarm.ts'

const ADDRESS = 'zelda.quux@example.com'
const CONTACT = `Complaints about a parcel go to ${ADDRESS} before Friday evening.

| Desk | Address |
|------|---------|
| Claims | claims.${ADDRESS} |
| Lost and found | room twelve |
`
const CARD = '4111 1111 1111 1111'
/** Any of what the documents said and must not be found. */
const ORIGINAL = /zelda|quux|4111/i

suite('documents of a guarded collection', ({ test, before, after }) => {
  let swarm: TestSwarm
  let gateway: OpenGateway
  let olga: KnowledgeClient
  before(async () => {
    swarm = await startSwarm({ script: [], host: withKnowledge(), verdict: checkRows })
    gateway = await openGateway(swarm.nats.url, TENANT)
    olga = await KnowledgeClient.of(gateway)
    await olga.collection('guarded', { guarded: true })
    await olga.collection('open')
  })
  after(async () => {
    await gateway.close()
    await swarm.close()
  })

  const search = (collection: string, question: string): Promise<SearchResult> =>
    olga.call<SearchResult>('POST', 'search', { question, collections: [collection], explain: true })
  /** Everything that the database holds of the text of a document, and of the index of all of them. */
  const stored = async (document: string): Promise<string> => {
    const rows = await swarm.database.tenant(TENANT, async (sql) => [
      await sql.query('select title from documents where id = $1', [document]),
      await sql.query('select text, blocks from document_pages where document = $1', [document]),
      await sql.query('select * from chunks where document = $1', [document]),
      await sql.query(`select distinct term from postings where collection = 'guarded'`),
    ])
    return JSON.stringify(rows)
  }

  test('are masked before anything of them is stored: the original is in no page, chunk, term, passage or explanation', async () => {
    const document = await olga.ingest('guarded', 'contact.md', CONTACT)
    assert.is(document.state, 'ready', JSON.stringify(document.error))
    const found = await search('guarded', 'Where do complaints about a parcel go before Friday?')
    assert.match(found.passages[0]!.text, /go to \[e-mail address\] before Friday/)
    assert.not.match(JSON.stringify(found), ORIGINAL)
    const asked = await search('guarded', ADDRESS)
    assert.not.match(JSON.stringify(asked.passages.map(({ explain: _of, ...passage }) => passage)), ORIGINAL)
    assert.equal(
      Object.entries(asked.rarity).filter(([stem, count]) => ORIGINAL.test(stem) && count > 0),
      [],
      'its words are in no index',
    )
    const answer = await olga.call<KnowledgeAnswer>('POST', 'query', {
      question: 'Which address do complaints about a parcel go to?',
      collections: ['guarded'],
    })
    assert.not.match(JSON.stringify(answer), ORIGINAL)
    const chunks = JSON.stringify(await olga.call('GET', `documents/${document.id}/chunks`))
    assert.match(chunks, /room twelve/)
    assert.not.match(chunks, ORIGINAL)
    const passage = `documents/${document.id}/versions/1/passage?start=0&end=40`
    assert.not.match(JSON.stringify(await olga.call('GET', passage)), ORIGINAL)
    assert.not.match(await stored(document.id), ORIGINAL)
  })

  test('are refused where a guardrail blocks, and nothing of them is kept to be found', async () => {
    const before = (await search('guarded', 'renewal')).total
    const text = `The renewal of the membership was paid with card ${CARD} in March.`
    const document = await olga.ingest('guarded', 'renewal.txt', text)
    assert.equal([document.state, document.error?.code, document.error?.page], ['failed', 'DOCUMENT_UNREADABLE', 1])
    assert.match(document.error?.reason ?? '', /^A guardrail refused it: /)
    assert.not.match(JSON.stringify(document), ORIGINAL)
    const found = await search('guarded', 'How was the renewal of the membership paid?')
    assert.is(found.total, before)
    assert.not.match(JSON.stringify(found), /membership was paid/)
    const chunks = olga.call('GET', `documents/${document.id}/chunks`).catch((error: { code: string }) => error.code)
    assert.is(await chunks, 'NOT_FOUND')
    assert.not.match(await stored(document.id), ORIGINAL)
  })

  test('are as they were written where the collection asks for no guarding', async () => {
    for (const [name, text] of [
      ['contact.md', CONTACT],
      ['renewal.txt', `Paid with card ${CARD} in March.`],
    ] as const)
      assert.is((await olga.ingest('open', name, text)).state, 'ready')
    assert.match(JSON.stringify(await search('open', 'Where do complaints about a parcel go?')), /zelda/)
    assert.match(JSON.stringify(await search('open', 'Which card was it paid with in March?')), /4111/)
  })
})
