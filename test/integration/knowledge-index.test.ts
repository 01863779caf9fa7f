import { assert, suite } from '#test/kit/suite.ts'
import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import type { OpenGateway } from '#test/kit/open-gateway.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { TestSwarm } from '#test/kit/swarm.ts'
import type { Collection, SearchResult } from '#shared/contracts/knowledge.ts'

/** Only here do the two names of one thing meet. */
const BRIDGES = ['lifting', 'moving', 'storing', 'selling'].map(
  (what) => `Notes on ${what}: the zorblax is what the workshop calls a quimby, and a quimby is a zorblax.`,
)
const WANTED = 'Every quimby is cleaned with warm water once a week.'
/** Words spelt alike, which is all that hashed vectors see. */
const OTHERS = ['borblax', 'xorblaxy', 'orblaxen', 'norblax', 'korblaxy', 'dorblax', 'lorblaxen', 'worblax'].flatMap(
  (word) => [`A ${word} stands in the hall.`, `Nobody knows who built the ${word}.`],
)

interface Built {
  readonly collection: string
  readonly generation: number
  readonly adopted: boolean
  readonly reason: string
  readonly embedder: string
}

function builtIn(entries: Awaited<ReturnType<TestSwarm['until']>>, collection: string, generation: number): Built {
  const built = entries
    .filter(({ event }) => event.type === 'index:built')
    .map(({ event }) => event.payload as Built)
    .find((one) => one.collection === collection && one.generation === generation)
  if (built === undefined) throw new Error(`no generation ${generation} of ${collection} was built`)
  return built
}

suite('an index that is fitted to its collection', ({ test, before, after }) => {
  let swarm: TestSwarm
  let gateway: OpenGateway
  let olga: KnowledgeClient
  before(async () => {
    swarm = await startSwarm({ script: [], host: withKnowledge() })
    await swarm.node('k1')
    gateway = await openGateway(swarm.nats.url, TENANT)
    olga = await KnowledgeClient.of(gateway)
    await olga.collection('parts')
    for (const [at, text] of [...BRIDGES, WANTED, ...OTHERS].entries()) {
      const { state, error } = await olga.ingest('parts', `${at}.txt`, text)
      assert.is(state, 'ready', JSON.stringify(error))
    }
  })
  after(async () => {
    await gateway.close()
    await swarm.close()
  })

  const refit = async (): Promise<Built> => {
    const { generation } = await olga.call<{ generation: number }>('POST', 'reindex', {
      collection: 'parts',
      fitted: true,
    })
    const entries = await swarm.until('knowledge', ({ event }) => {
      const { collection, generation: number } = event.payload as Partial<Built>
      return event.type === 'index:built' && collection === 'parts' && number === generation
    })
    return builtIn(entries, 'parts', generation)
  }
  const inUse = async (): Promise<number | undefined> => {
    const { collections } = await olga.call<{ collections: Collection[] }>('GET', 'collections')
    return collections.find(({ id }) => id === 'parts')?.generation
  }

  test('is not used where nothing shows that it finds more', async () => {
    const built = await refit()
    assert.is(built.adopted, false)
    assert.match(built.reason, /golden questions/)
    assert.is(await inUse(), 1)
  })

  test('is not used where the golden questions are found as well without it', async () => {
    const questions = [{ id: 'easy', question: 'Who built the norblax?', quote: 'who built the norblax' }]
    await olga.call('PUT', 'collections/parts/golden', { questions })
    const built = await refit()
    assert.equal([built.adopted, await inUse()], [false, 1], built.reason)
  })

  test('is used where they are found better, and what comes later is placed by the same model', async () => {
    const questions = [{ id: 'names', question: 'zorblax', quote: 'cleaned with warm water' }]
    await olga.call('PUT', 'collections/parts/golden', { questions })
    const built = await refit()
    assert.is(built.embedder, 'builtin/lsa')
    assert.equal([built.adopted, await inUse()], [true, built.generation], built.reason)
    const late = await olga.ingest('parts', 'late.txt', 'A quimby may be painted by the workshop in green or in blue.')
    const { passages } = await olga.call<SearchResult>('POST', 'search', {
      question: 'zorblax',
      collections: ['parts'],
      explain: true,
    })
    const found = passages.find(({ documentId }) => documentId === late.id)
    assert.ok(found !== undefined, 'the later document is found by the other name')
    const { vector, keyword } = found.explain as { vector: { score: number } | null; keyword: unknown }
    assert.is(keyword, null)
    assert.ok(vector !== null && vector.score > 0.3, JSON.stringify(vector))
  })

  test('fitted to nothing changes nothing', async () => {
    await olga.collection('empty')
    const { generation } = await olga.call<{ generation: number }>('POST', 'reindex', {
      collection: 'empty',
      fitted: true,
    })
    const entries = await swarm.until(
      'knowledge',
      (one) => one.event.type === 'index:built' && (one.event.payload as Built).collection === 'empty',
    )
    assert.is(builtIn(entries, 'empty', generation).adopted, false)
  })
})
