/** What is pgvector's own: when its approximate index is built, used, built again and let go, and what it costs others. */
import { Client } from 'pg'

import { buildStatement, indexName } from '#shared/vectors/pgvector/hnsw-index.ts'
import { PgVectorStore } from '#shared/vectors/pgvector/pgvector-store.ts'
import { USE_INDEX, approximateStatement } from '#shared/vectors/pgvector/statements.ts'
import type { VectorIndex } from '#shared/vectors/vector-store.ts'
import { servers } from '#test/integration/db-servers.ts'
import type { OpenedDatabase } from '#test/integration/db-servers.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { placesOf, rankedByHand, samplePoints, sampleVector } from './sample-vectors.ts'
import { HOSTILE } from './vector-store.contract.ts'

const DIMENSIONS = 24

for (const server of servers) {
  suite(`the approximate index of pgvector on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    let admin: Client
    let store: PgVectorStore
    before(async () => {
      opened = await server.open()
      admin = new Client({ connectionString: opened.url })
      await admin.connect()
      store = new PgVectorStore(opened.database, { exactLimit: 100 })
    })
    after(async () => {
      await admin.end()
      await opened.close()
    })

    const indexOf = (collection: string): VectorIndex => ({ collection, generation: 1, dimensions: DIMENSIONS })
    const fill = (tenant: string, index: VectorIndex, count: number): Promise<void> =>
      store.write(tenant, index, samplePoints(DIMENSIONS, count, 1))
    const isThere = async (tenant: string, index: VectorIndex): Promise<boolean> => {
      const { rows } = await admin.query('select from pg_class where relname = $1', [indexName(tenant, index)])
      return rows.length > 0
    }
    /** The plan of an approximate search, in words. */
    const planOf = (tenant: string, index: VectorIndex, filtered = false): Promise<string> =>
      opened.database.tenant(tenant, async (sql) => {
        await sql.query(USE_INDEX, [indexName(tenant, index), '40'])
        const values = [tenant, index.collection, 1, `[${sampleVector(DIMENSIONS, 1).join()}]`, 10]
        const text = `explain ${approximateStatement(DIMENSIONS, filtered)}`
        const rows = await sql.query<Record<string, string>>(text, filtered ? [...values, [1, 2]] : values)
        return rows.map((row) => row['QUERY PLAN']).join('\n')
      })

    test('is built above the limit and not below, and is what the search uses, with a filter too', async () => {
      const index = indexOf('limit')
      await fill('acme', index, 100)
      assert.is(await store.ensureIndex('acme', index, 100), 'exact')
      assert.not.ok(await isThere('acme', index))
      await fill('acme', index, 300)
      assert.is(await store.ensureIndex('acme', index, 300), 'approximate')
      assert.is(await store.ensureIndex('acme', index, 300), 'approximate')
      assert.is(await store.ensureIndex('acme', index, 50), 'approximate', 'what is there is used')
      assert.ok((await planOf('acme', index)).includes(indexName('acme', index)))
      assert.ok((await planOf('acme', index, true)).includes(indexName('acme', index)))
      const found = await store.nearest('acme', index, {
        vector: sampleVector(DIMENSIONS, 3),
        limit: 20,
        segments: null,
      })
      const exact = rankedByHand(samplePoints(DIMENSIONS, 300, 1), sampleVector(DIMENSIONS, 3)).slice(0, 20)
      const same = placesOf(found).filter((place) => placesOf(exact).includes(place))
      assert.ok(same.length >= 19, `${same.length} of 20 are the nearest`)
    })

    test('is of one generation of one tenant: others are searched without it', async () => {
      const index = indexOf('alone')
      for (const tenant of ['acme', 'globex']) await fill(tenant, index, 150)
      await store.ensureIndex('acme', index, 150)
      assert.ok((await planOf('acme', index)).includes('chunk_vectors_hnsw_'))
      assert.not.ok((await planOf('globex', index)).includes('chunk_vectors_hnsw_'))
      assert.not.ok((await planOf('acme', { ...index, collection: 'another' })).includes('chunk_vectors_hnsw_'))
    })

    test('gives all that pass the filter when walking its graph ends before they are found', async () => {
      const index = indexOf('short')
      const near = samplePoints(DIMENSIONS, 400, 1).map((point) => ({
        ...point,
        vector: point.vector.map((x) => 1 + x / 50),
      }))
      const far = samplePoints(DIMENSIONS, 150, 2).map((point) => ({
        ...point,
        vector: point.vector.map((x) => -1 + x / 5),
      }))
      await store.write('acme', index, [...near, ...far])
      await store.ensureIndex('acme', index, 550)
      const vector = new Float32Array(DIMENSIONS).fill(1)
      await opened.database.tenant('acme', async (sql) => {
        // The walk is given up after so many points, none of which passes.
        await sql.query(`select set_config('hnsw.max_scan_tuples', '1', true)`)
        const found = await store.nearest(sql, index, { vector, limit: 120, segments: [2] })
        assert.is(found.length, 120)
        const expected = rankedByHand(far, vector).slice(0, 120)
        assert.ok((found[119]?.score ?? -1) > (expected[119]?.score ?? 1) - 0.002)
      })
    })

    test('names no tenant or collection in a way that could end its statement', async () => {
      for (const hostile of HOSTILE) {
        const index = indexOf(hostile)
        const statement = await buildStatement(opened.database, hostile, index)
        assert.ok(statement.startsWith('create index concurrently if not exists chunk_vectors_hnsw_'))
        await fill(hostile, index, 101)
        assert.is(await store.ensureIndex(hostile, index, 101), 'approximate', hostile)
        assert.ok((await planOf(hostile, index)).includes(indexName(hostile, index)), hostile)
        const { rows } = await admin.query<{ predicate: string }>(
          'select pg_get_expr(indpred, indrelid) as predicate from pg_index where indexrelid = to_regclass($1)',
          [indexName(hostile, index)],
        )
        const passing = await admin.query(`select from chunk_vectors where ${rows[0]?.predicate}`)
        assert.is(passing.rowCount, 101, 'it is of exactly this tenant and collection')
        await store.dropGeneration(hostile, index)
        assert.not.ok(await isThere(hostile, index))
      }
      assert.is((await admin.query(`select from pg_class where relname = 'chunk_vectors'`)).rowCount, 1)
    })

    test('is removed and built again when a build had been broken off', async () => {
      const index = indexOf('broken')
      await fill('acme', index, 120)
      await store.ensureIndex('acme', index, 120)
      await admin.query('update pg_index set indisvalid = false where indexrelid = to_regclass($1)', [
        indexName('acme', index),
      ])
      const vector = sampleVector(DIMENSIONS, 1)
      assert.is((await store.nearest('acme', index, { vector, limit: 50, segments: null })).length, 50)
      assert.is(await store.ensureIndex('acme', index, 120), 'approximate')
      assert.ok((await planOf('acme', index)).includes(indexName('acme', index)))
    })

    test('leaves the plans of whatever follows in the same transaction as they were', async () => {
      const index = indexOf('settings')
      await fill('acme', index, 120)
      await store.ensureIndex('acme', index, 120)
      const settings = `select current_setting('plan_cache_mode') as cache, current_setting('enable_sort') as sort`
      await opened.database.tenant('acme', async (sql) => {
        const before = await sql.query(settings)
        await store.nearest(sql, index, { vector: sampleVector(DIMENSIONS, 1), limit: 5, segments: null })
        assert.equal(await sql.query(settings), before)
      })
    })

    test('is part of the transaction it is given: what is rolled back was never there', async () => {
      const index = indexOf('rollback')
      const failing = opened.database.tenant('acme', async (sql) => {
        await store.write(sql, index, samplePoints(DIMENSIONS, 3, 1))
        assert.is(await store.count(sql, { collection: 'rollback' }), 3)
        throw new Error('changed our mind')
      })
      assert.is(await failing.catch((error: Error) => error.message), 'changed our mind')
      assert.is(await store.count('acme', { collection: 'rollback' }), 0)
    })

    test('refuses to mix dimensions in one generation, whatever the caller says they are', async () => {
      const index = indexOf('mixed')
      const other = { ...index, dimensions: 12 }
      await fill('acme', index, 5)
      assert.is(await codeOf(store.write('acme', other, samplePoints(12, 1, 2))), 'WRONG_VECTOR')
      const query = { vector: sampleVector(12, 1), limit: 5, segments: null }
      assert.is(await codeOf(store.nearest('acme', other, query)), 'WRONG_VECTOR')
    })

    if (server.concurrent) {
      test('is built once when several processes ask for it at once, and beside one of another tenant', async () => {
        const index = indexOf('at-once')
        for (const tenant of ['acme', 'globex']) await fill(tenant, index, 1_500)
        const elsewhere = new PgVectorStore(await opened.again(), { exactLimit: 100 })
        const building = Promise.all([
          store.ensureIndex('acme', index, 1_500),
          elsewhere.ensureIndex('acme', index, 1_500),
          elsewhere.ensureIndex('globex', index, 1_500),
        ])
        assert.equal(await building, ['approximate', 'approximate', 'approximate'])
      })

      test('holds up nobody who writes while it is built', async () => {
        const index = indexOf('beside')
        await fill('acme', index, 3_000)
        let built = false
        const building = store.ensureIndex('acme', index, 3_000).finally(() => (built = true))
        let writtenMeanwhile = 0
        while (!built) {
          await fill('globex', indexOf('beside'), 1)
          if (!built) writtenMeanwhile += 1
        }
        await building
        assert.ok(writtenMeanwhile > 5, `${writtenMeanwhile} writes`)
      })
    }
  })
}
