import { codeOf } from '#test/kit/code-of.ts'
import { randomBytes } from 'node:crypto'

import { QdrantStore } from '#shared/vectors/qdrant/qdrant-store.ts'
import type { VectorIndex } from '#shared/vectors/vector-store.ts'
import { QdrantOpenApi, readQdrantOpenApi } from '#test/kit/qdrant-openapi.ts'
import { QdrantCheckServer } from '#test/kit/qdrant-server.ts'
import { assert, skip, suite } from '#test/kit/suite.ts'

import { placesOf, samplePoints, sampleVector } from './sample-vectors.ts'
import { vectorStoreContract } from './vector-store.contract.ts'

const document = await readQdrantOpenApi()
const openApi = document === null ? null : new QdrantOpenApi(document)
const url = process.env['QDRANT_URL'] ?? ''
const NO_DATA = 'no openapi-1.18.json below WAGGLE_DATA, against which the check server checks'

if (url !== '') {
  vectorStoreContract('Qdrant', async () => {
    const store = new QdrantStore({ url, prefix: `waggle-test-${randomBytes(6).toString('hex')}` })
    return { store, close: () => Promise.resolve() }
  })
}

if (openApi === null) {
  suite('vectors on the check server', ({ test }) => {
    test('are stored and found', () => skip(NO_DATA))
  })
} else {
  vectorStoreContract('Qdrant (check server)', async () => {
    const server = new QdrantCheckServer(openApi)
    const store = new QdrantStore({ url: await server.start() })
    return {
      store,
      async close() {
        await server.stop()
        assert.equal(server.violations, [], 'every request fits the published contract')
      },
    }
  })

  suite('the adapter to Qdrant', ({ test, beforeEach, afterEach }) => {
    const index: VectorIndex = { collection: 'handbook', generation: 1, dimensions: 8 }
    const query = { vector: sampleVector(8, 1), limit: 5, segments: null }
    let server: QdrantCheckServer
    let store: QdrantStore
    let address: string
    beforeEach(async () => {
      server = new QdrantCheckServer(openApi)
      address = await server.start()
      store = new QdrantStore({ url: address, apiKey: 'the-key' })
      await store.write('acme', index, samplePoints(8, 10, 1))
      await store.write('globex', index, samplePoints(8, 10, 1))
    })
    afterEach(() => server.stop())

    test('says the tenant in every request that touches points, and makes it a tenant index', async () => {
      await store.nearest('acme', index, { ...query, segments: [1, 2] })
      await store.count('acme', { collection: 'handbook' })
      await store.drop('acme', { collection: 'handbook', segment: 1 })
      const touching = server.requests.filter(({ path }) => /points\/(?:query|count|delete)$/.test(path))
      assert.ok(touching.length >= 3)
      for (const { body } of touching) {
        const { must } = (body as { filter: { must: unknown[] } }).filter
        assert.equal(must[0], { key: 'tenant', match: { value: 'acme' } })
        assert.equal(must[1], { key: 'collection', match: { value: 'handbook' } })
      }
      assert.equal(server.collection('waggle-chunks-d8')?.indexes.get('tenant'), { type: 'keyword', is_tenant: true })
      assert.ok(server.headers.every((headers) => headers['api-key'] === 'the-key'))
      assert.equal(server.violations, [])
    })

    const foreign: Record<string, Partial<Record<string, unknown>>> = {
      'another tenant': { tenant: 'globex' },
      'another collection': { collection: 'other' },
      'another generation': { generation: 2 },
      'a segment that was not asked for': { segment: 99 },
      'a payload that is not that of its id': { ordinal: 77 },
      'a payload of another type': { segment: '1' },
    }
    for (const [what, change] of Object.entries(foreign)) {
      test(`gives nothing at all when one point of the answer is of ${what}`, async () => {
        server.mixUp = (found) =>
          found.map((hit, at) =>
            at === 2 ? { ...hit, point: { ...hit.point, payload: { ...hit.point.payload, ...change } } } : hit,
          )
        assert.is(await codeOf(store.nearest('acme', index, { ...query, segments: [1] })), 'INTERNAL')
      })
    }

    test('gives nothing when the server forgets to filter, or leaves the payload out', async () => {
      server.mixUp = (_, all) => all.slice(0, 15).map((point) => ({ point, score: 0.5 }))
      assert.is(await codeOf(store.nearest('acme', index, query)), 'INTERNAL')
      server.mixUp = (found) => found.map((hit) => ({ ...hit, point: { ...hit.point, payload: {} } }))
      assert.is(await codeOf(store.nearest('acme', index, query)), 'INTERNAL')
      server.mixUp = null
      assert.is((await store.nearest('acme', index, query)).length, 5)
    })

    test('asks for all to be compared when the graph found fewer than there are', async () => {
      server.mixUp = (found, _, exact) => (exact ? found : found.slice(0, 1))
      const found = await store.nearest('acme', index, query)
      assert.equal(new Set(placesOf(found)).size, 5)
      const asked = server.requests.filter(({ path }) => path.endsWith('points/query'))
      assert.equal(
        asked.map(({ body }) => (body as { params: unknown }).params),
        [{ exact: false }, { exact: true }],
      )
    })

    test('says that the server is down when it fails, is silent or gone, and recovers', async () => {
      for (const status of [500, 503, 429]) {
        server.failWith = status
        assert.is(await codeOf(store.nearest('acme', index, query)), 'VECTORS_DOWN', String(status))
        assert.is(await codeOf(store.count('acme', { collection: 'handbook' })), 'VECTORS_DOWN')
      }
      server.failWith = 401
      assert.is(await codeOf(store.write('acme', index, samplePoints(8, 1, 1))), 'CONFIG')
      server.failWith = null
      server.silent = true
      const impatient = new QdrantStore({ url: address, apiKey: 'the-key', timeoutMs: 50 })
      assert.is(await codeOf(impatient.nearest('acme', index, query)), 'VECTORS_DOWN')
      server.silent = false
      assert.is((await store.nearest('acme', index, query)).length, 5)
      await server.stop()
      assert.is(await codeOf(store.nearest('acme', index, query)), 'VECTORS_DOWN')
      assert.is(await codeOf(store.prepare('acme', { ...index, dimensions: 9 })), 'VECTORS_DOWN')
    })

    test('makes a collection once when several prepare it at the same moment, in two processes as well', async () => {
      const other = new QdrantStore({ url: address, apiKey: 'the-key' })
      const wide = { ...index, dimensions: 24 }
      await Promise.all([store, store, other, other].map((one) => one.prepare('acme', wide)))
      await other.write('acme', wide, samplePoints(24, 2, 1))
      assert.is(await store.count('acme', { collection: 'handbook' }), 12)
      assert.equal(server.violations, [])
    })

    test('is checked by a server that refuses what the published contract does not have', async () => {
      const send = async (method: string, path: string, body: unknown): Promise<number> => {
        const operation = `${address}/collections/waggle-chunks-d8${path}`
        return (await fetch(operation, { method, body: JSON.stringify(body) })).status
      }
      const vector = [...sampleVector(8, 1)]
      const good = { query: vector, using: 'embedding', limit: 1 }
      assert.is(await send('POST', '/points/query', good), 200)
      const refused = [
        await send('POST', '/points/query', { ...good, fliter: { must: [] } }),
        await send('POST', '/points/query', { ...good, filter: { must: [{ key: 'tenant', match: { vlaue: 'a' } }] } }),
        await send('POST', '/points/query', { ...good, limit: 0 }),
        await send('POST', '/points/query', { ...good, using: 'other' }),
        await send('POST', '/points/query', { ...good, query: vector.slice(1) }),
        await send('POST', '/points/find', good),
        await send('POST', '/points/count?exactly=true', {}),
        await send('PUT', '/points', { points: [{ id: 'no uuid', vector: { embedding: vector } }] }),
        await send('PUT', '/points', { points: [{ id: 1, vector: { embedding: 'text' } }] }),
        await send('PUT', '/index', { field_name: 'tenant', field_schema: { type: 'keyword', tenant: true } }),
      ]
      assert.equal(
        refused,
        refused.map(() => 400),
      )
      assert.ok(server.violations.length >= 7)
    })

    test('refuses a collection of the same name that was made for something else', async () => {
      const wide = { ...index, dimensions: 24 }
      await fetch(`${address}/collections/waggle-chunks-d24`, {
        method: 'PUT',
        body: JSON.stringify({ vectors: { embedding: { size: 24, distance: 'Cosine' } } }),
      })
      assert.is(await codeOf(store.write('acme', wide, samplePoints(24, 1, 1))), 'CONFIG')
    })
  })
}
