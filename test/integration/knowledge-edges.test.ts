import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import type { OpenGateway } from '#test/kit/open-gateway.ts'
import { Site } from '#test/kit/site.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { TestSwarm } from '#test/kit/swarm.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { Ingestion } from '#shared/contracts/ingestion.ts'
import type { GoldenRun, KnowledgeAnswer, SearchResult } from '#shared/contracts/knowledge.ts'

const OTHER = 'globex'
suite('knowledge at its edges', ({ test, before, after }) => {
  let swarm: TestSwarm
  let gateways: OpenGateway[]
  let olga: KnowledgeClient
  let stranger: KnowledgeClient
  let site: Site
  before(async () => {
    site = await Site.open()
    swarm = await startSwarm({ script: [], host: withKnowledge([site.host]) })
    await swarm.database.tenant(OTHER, (sql) => saveTenant(sql, { name: OTHER }))
    await swarm.node('k1')
    gateways = [await openGateway(swarm.nats.url, TENANT), await openGateway(swarm.nats.url, OTHER, { name: 'g2' })]
    olga = await KnowledgeClient.of(gateways[0]!)
    stranger = await KnowledgeClient.of(gateways[1]!)
    await olga.collection('main')
    await stranger.collection('main')
  })
  after(async () => {
    for (const gateway of gateways) await gateway.close()
    await swarm.close()
    await site.close()
  })

  test('another tenant sees nothing: not by search, explain, statistics, duplicates, passages, or the content store', async () => {
    const text = 'The password of the vault is heliotrope seventeen.'
    const { id } = await olga.ingest('main', 'vault.txt', text)
    await stranger.ingest('main', 'other.txt', 'The weather in Rotterdam is mild.')
    const asked = { question: 'password of the vault heliotrope', collections: [], explain: true }
    const seen = await stranger.call<SearchResult>('POST', 'search', asked)
    assert.not.match(JSON.stringify(seen), /heliotrope s/)
    assert.ok(
      Object.values(seen.rarity).every((count) => count === 0),
      'words of another tenant are not counted',
    )
    assert.is(seen.total, 1)
    const answer = await stranger.call<KnowledgeAnswer>('POST', 'query', {
      question: 'What is the password of the vault?',
    })
    assert.equal([answer.covered, answer.citations.length], [false, 0])
    assert.is(await codeOf(stranger.call('GET', `documents/${id}`)), 'NOT_FOUND')
    assert.is(await codeOf(stranger.call('GET', `documents/${id}/versions/1/passage?start=0&end=10`)), 'NOT_FOUND')
    assert.is(await codeOf(stranger.call('DELETE', `documents/${id}`)), 'NOT_FOUND')
    // Content that both have is taken anew: a shared answer would tell who has what.
    const same = await stranger.give('main', 'vault.txt', text)
    assert.is(same.duplicate, false)
    assert.not.equal(same.documentId, id)
    const objects = await swarm.transport.objects('BLOBS')
    for (const tenant of [TENANT, OTHER])
      assert.ok((await objects.names(`${tenant}/`)).length > 0, `${tenant} has content of its own`)
  })

  test('a large file goes in parts, in order, and is gone on with where it was cut', async () => {
    const text = 'Part one says alpha. '.repeat(50) + 'Part two says omega is the last letter.'
    const bytes = Buffer.from(text)
    const { uploadId } = await olga.call<{ uploadId: string }>('POST', 'uploads', {
      collection: 'main',
      name: 'parts.txt',
      bytes: bytes.length,
    })
    const part = (at: number, size: number): Promise<{ received: number }> =>
      olga.call('PUT', `uploads/${uploadId}/parts/${at}`, new Uint8Array(bytes.subarray(at, at + size)))
    assert.is((await part(0, 400)).received, 400)
    assert.is(await codeOf(part(0, 400)), 'CONFLICT')
    assert.is(await codeOf(part(700, 10)), 'CONFLICT')
    assert.is(await codeOf(olga.call('POST', `uploads/${uploadId}/complete`, {})), 'CONFLICT')
    const { received } = await olga.call<{ received: number }>('GET', `uploads/${uploadId}`)
    assert.is((await part(received, bytes.length)).received, bytes.length)
    const { documentId } = await olga.call<{ documentId: string }>('POST', `uploads/${uploadId}/complete`, {})
    const document = await olga.settled(documentId)
    assert.equal([document.state, document.bytes], ['ready', bytes.length])
    assert.is(await codeOf(olga.call('GET', `uploads/${uploadId}`)), 'NOT_FOUND')
  })

  test('an address is read, its main text kept; one that leads inside is refused, a redirect too', async () => {
    site.serve('/returns', {
      body: '<html><head><title>Returns</title></head><body><nav>Home Shop Cart</nav><article><h1>Returns</h1><p>Parcels are taken back at the harbour office until six in the evening, every day but Sunday. Bring the label.</p></article></body></html>',
    })
    const receipt = await olga.call<{ documentId: string }>('POST', 'ingest/url', {
      collection: 'main',
      url: `http://${site.host}/returns`,
    })
    const document = await olga.settled(receipt.documentId)
    assert.is(document.state, 'ready', JSON.stringify(document.error))
    const found = await olga.call<SearchResult>('POST', 'search', {
      question: 'Until when are parcels taken back at the harbour office?',
      collections: ['main'],
    })
    assert.is(found.passages[0]?.documentId, receipt.documentId)
    site.serve('/away', { status: 302, location: 'http://169.254.169.254/latest/meta-data', body: '' })
    for (const url of ['http://169.254.169.254/latest', 'http://localhost:9/', `http://${site.host}/away`]) {
      const { documentId } = await olga.call<{ documentId: string }>('POST', 'ingest/url', { collection: 'main', url })
      const refused = await olga.settled(documentId)
      assert.equal([refused.state, refused.error?.code], ['failed', 'ADDRESS_REFUSED'], url)
    }
  })

  test('an address is read again when its time has come, and gets another version only where it has changed', async () => {
    site.serve('/news', { type: 'text/plain', body: 'The bridge is closed until March.' })
    const writer = swarm.reach('olga', ['operator']).ref(Ingestion, 'main')
    const request = {
      documentId: 'news',
      collection: 'main',
      source: { kind: 'url' as const, url: `http://${site.host}/news` },
      mime: '',
      labels: { title: 'News', tags: [], metadata: {}, access: [] },
      content: null,
      recrawlMs: 1_000,
    }
    await writer.confirm('add', request)
    await olga.settled('news')
    await site.visited('/news', site.visits('/news') + 1)
    assert.is((await olga.settled('news')).liveVersion, 1)
    site.serve('/news', { type: 'text/plain', body: 'The bridge is open again since April.' })
    const changed = await olga.settled('news', 2)
    assert.equal([changed.state, changed.liveVersion], ['ready', 2])
    await olga.call('DELETE', 'documents/news')
  })

  test('small chunks are found and the larger passage around them is given, where the collection says so', async () => {
    await olga.collection('long', { chunks: { maxTokens: 60, minTokens: 0, parents: true } })
    const sections = Array.from(
      { length: 30 },
      (_, at) =>
        `Rule ${at + 1} of the harbour says that boats of kind ${at + 1} moor at pier ${at + 1}. Their masters sign the book of pier ${at + 1} before sunset and leave a lamp burning.`,
    )
    await olga.ingest('long', 'rules.txt', sections.join('\n\n'))
    const found = await olga.call<SearchResult>('POST', 'search', {
      question: 'Which boats moor at pier 17?',
      collections: ['long'],
    })
    const [first] = found.passages
    assert.match(first!.text, /moor at pier 17\./)
    const chunk = await olga.call<{ chunks: { text: string }[] }>('GET', `documents/${first!.documentId}/chunks`)
    assert.ok(first!.text.length > Math.max(...chunk.chunks.map(({ text }) => text.length)), 'more than one chunk')
    const passage = await olga.call<{ text: string }>(
      'GET',
      `documents/${first!.documentId}/versions/1/passage?start=${first!.start}&end=${first!.end}`,
    )
    assert.is(passage.text, first!.text)
  })

  test('documents in another language are found by inflected words', async () => {
    await olga.collection('deutsch')
    await olga.ingest(
      'deutsch',
      'vertrag.txt',
      'Die Kündigungsfrist des Mietvertrags beträgt drei Monate zum Ende eines Quartals. Sie gilt für beide Seiten und beginnt mit dem Eingang des Schreibens.',
    )
    await olga.ingest(
      'deutsch',
      'garten.txt',
      'Der Garten darf von allen Mietern benutzt werden. Fahrräder stehen im Keller und nicht im Treppenhaus, denn das ist ein Fluchtweg.',
    )
    const asked = { question: 'Welche Kündigungsfristen haben Mietverträge?', collections: ['deutsch'], explain: true }
    const found = await olga.call<SearchResult>('POST', 'search', asked)
    assert.match(found.passages[0]!.text, /drei Monate/)
    assert.is(found.passages[0]!.language, 'de')
    const keyword = found.passages[0]!.explain!['keyword'] as { score: number } | null
    assert.ok((keyword?.score ?? 0) > 0, 'by its words')
    assert.ok(found.coverage > 0.5, `inflected words cover the question: ${found.coverage}`)
  })

  test('a hostile file costs an error with its reason, and the next one is read', async () => {
    const broken = await olga.ingest('main', 'broken.pdf', '%PDF-1.7\nthis is no PDF at all')
    assert.is(broken.state, 'failed')
    assert.ok(['DOCUMENT_UNREADABLE', 'DOCUMENT_TYPE'].includes(broken.error?.code ?? ''), broken.error?.code)
    const good = await olga.ingest('main', 'good.txt', 'The ferry leaves at noon.')
    assert.is(good.state, 'ready')
    const again = await codeOf(olga.call('POST', `documents/${good.id}/retry`))
    assert.is(again, 'CONFLICT')
  })

  test('golden questions measure a collection, and another generation is built beside the one in use and gone back from', async () => {
    await olga.collection('golden')
    const { id } = await olga.ingest(
      'golden',
      'bees.txt',
      'Bees dance in the hive to tell the others where flowers are.',
    )
    await olga.ingest('golden', 'ants.txt', 'Ants lay trails of scent to where food is.')
    await olga.call('PUT', 'collections/golden/golden', {
      questions: [{ id: 'q1', question: 'Why do bees dance?', documents: [id] }],
    })
    const before = await olga.call<GoldenRun>('POST', 'collections/golden/golden/run', {})
    assert.equal([before.recall, before.mrr, before.generation], [1, 1, 1])
    const { generation } = await olga.call<{ generation: number }>('POST', 'reindex', { collection: 'golden' })
    assert.is(generation, 2)
    const entries = await swarm.until('knowledge', ({ event }) => event.type === 'index:built')
    const built = entries.find(({ event }) => event.type === 'index:built')!.event.payload as {
      adopted: boolean
      chunks: number
    }
    assert.equal([built.adopted, built.chunks], [true, 2])
    assert.is((await olga.call<{ generation: number }>('GET', 'collections/golden')).generation, 2)
    await olga.call('POST', 'collections/golden/rollback', { generation: 1 })
    assert.is((await olga.call<{ generation: number }>('GET', 'collections/golden')).generation, 1)
  })

  test('bad input is told field by field, and an unknown collection is not found', async () => {
    assert.is(await codeOf(olga.give('nowhere', 'a.txt', 'text')), 'NOT_FOUND')
    assert.is(await codeOf(olga.give('main', 'empty.txt', '')), 'BAD_INPUT')
    assert.is(await codeOf(olga.call('POST', 'search', { question: '' })), 'BAD_INPUT')
    assert.is(await codeOf(olga.call('POST', 'documents', { collection: 'main' })), 'BAD_INPUT')
    assert.is(await codeOf(olga.call('POST', 'search', { question: 'x', collections: ['nowhere'] })), 'NOT_FOUND')
  })
})
