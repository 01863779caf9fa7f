/** What every vector store must do, whatever is behind it. Each test has a tenant or a collection of its own. */
import type { VectorHit, VectorIndex, VectorPoint, VectorStore } from '#shared/vectors/vector-store.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { placesOf, rankedByHand, samplePoints, sampleVector } from './sample-vectors.ts'

export interface VectorWorld {
  readonly store: VectorStore
  close(): Promise<void>
}

const SCORE_TOLERANCE = 0.002
const TENANTS = 200
/** Names that end a literal, a filter or a subject early where somebody puts text together. */
export const HOSTILE = [
  `o'reilly`,
  `a'); drop table chunk_vectors; --`,
  `\\'; select 1; --`,
  `"quoted"`,
  `%L %s $1 :name {}`,
  `$$ ; $$`,
  `naïve 漢字 🙂`,
  `a`.repeat(120),
] as const

export function vectorStoreContract(name: string, open: () => Promise<VectorWorld>): void {
  suite(`vectors on ${name}`, ({ test, before, after }) => {
    let world: VectorWorld
    before(async () => {
      world = await open()
    })
    after(() => world.close())

    const indexOf = (collection: string, dimensions = 16, generation = 1): VectorIndex => ({
      collection,
      generation,
      dimensions,
    })
    const fill = async (tenant: string, index: VectorIndex, points: readonly VectorPoint[]): Promise<void> => {
      await world.store.prepare(tenant, index)
      await world.store.write(tenant, index, points)
      await world.store.ensureIndex(tenant, index, points.length)
    }
    const near = (
      tenant: string,
      index: VectorIndex,
      limit: number,
      segments: readonly number[] | null = null,
      vector = sampleVector(index.dimensions, 1),
    ): Promise<VectorHit[]> => world.store.nearest(tenant, index, { vector, limit, segments })

    test('ranks by cosine as by hand, best first, whatever the length of the vectors', async () => {
      const index = indexOf('order')
      const points = [1, 2, 3].flatMap((segment) =>
        samplePoints(16, 40, segment).map((point) => ({ ...point, vector: point.vector.map((x) => x * segment * 7) })),
      )
      await fill('acme', index, points)
      for (const seed of [1, 2, 3]) {
        const vector = sampleVector(16, seed)
        const found = await near('acme', index, 10, null, vector)
        assert.is(found.length, 10)
        const expected = new Map(rankedByHand(points, vector).map((hit) => [placesOf([hit])[0], hit.score]))
        const best = rankedByHand(points, vector)[9]?.score ?? 0
        for (const [at, hit] of found.entries()) {
          const exact = expected.get(placesOf([hit])[0]) ?? Number.NaN
          assert.ok(Math.abs(hit.score - exact) < SCORE_TOLERANCE, `${hit.score} is not ${exact}`)
          assert.ok(exact > best - SCORE_TOLERANCE, 'it is one of the ten best')
          assert.ok(at === 0 || hit.score <= (found[at - 1]?.score ?? 0), 'best first')
        }
      }
    })

    test('gives the same order for what is equally near, and the same every time', async () => {
      const index = indexOf('ties')
      const vector = sampleVector(16, 9)
      const points = [3, 1, 2].flatMap((segment) => [1, 0].map((ordinal) => ({ segment, ordinal, vector })))
      await fill('acme', index, points)
      const places = ['1/0', '1/1', '2/0', '2/1', '3/0', '3/1']
      for (let again = 0; again < 3; again++) assert.equal(placesOf(await near('acme', index, 10)), places)
    })

    test('filters before it ranks: the farthest segment still fills the limit', async () => {
      const index = indexOf('filter')
      const vector = sampleVector(16, 1)
      const close = samplePoints(16, 200, 1).map((point) => ({
        ...point,
        vector: vector.map((x, at) => x + (point.vector[at] ?? 0) / 20),
      }))
      const far = samplePoints(16, 30, 2).map((point) => ({
        ...point,
        vector: vector.map((x, at) => -x + (point.vector[at] ?? 0) / 2),
      }))
      const middle = samplePoints(16, 200, 3)
      await fill('acme', index, [...close, ...far, ...middle])
      const found = await near('acme', index, 20, [2])
      assert.is(found.length, 20)
      assert.ok(found.every((hit) => hit.segment === 2))
      assert.equal(new Set(placesOf(found)).size, 20)
      assert.is((await near('acme', index, 50, [2])).length, 30, 'all there are')
      assert.is((await near('acme', index, 100, [2, 3])).length, 100)
      assert.equal(await near('acme', index, 10, []), [], 'an empty list lets nothing through')
      assert.equal(await near('acme', index, 10, [999]), [])
      const long = Array.from({ length: 5_000 }, (_, n) => n + 2)
      assert.is((await near('acme', index, 1_000, long)).length, 230, 'a long list, of which two exist')
    })

    test('gives everything when the limit is larger than what there is', async () => {
      const index = indexOf('few')
      await fill('acme', index, samplePoints(16, 7, 1))
      assert.is((await near('acme', index, 1_000)).length, 7)
      assert.equal(await near('acme', indexOf('nothing-here'), 10), [])
    })

    test('writes a place again instead of twice, also within one call', async () => {
      const index = indexOf('again')
      const [point] = samplePoints(16, 1, 1)
      const vector = sampleVector(16, 77)
      await fill('acme', index, [{ segment: 1, ordinal: 0, vector: point?.vector ?? vector }])
      await world.store.write('acme', index, [
        { segment: 1, ordinal: 0, vector: sampleVector(16, 5) },
        { segment: 1, ordinal: 0, vector },
      ])
      const found = await near('acme', index, 10, null, vector)
      assert.is(found.length, 1)
      assert.ok((found[0]?.score ?? 0) > 0.998)
      await world.store.write('acme', index, [])
      assert.is(await world.store.count('acme', { collection: 'again' }), 1)
    })

    test('keeps generations side by side, of other dimensions too, and lets one go', async () => {
      const old = indexOf('generations', 16, 1)
      const next = indexOf('generations', 48, 2)
      await fill('acme', old, samplePoints(16, 12, 1))
      await fill('acme', next, samplePoints(48, 9, 1))
      assert.is((await near('acme', old, 50)).length, 12)
      assert.is((await near('acme', next, 50)).length, 9)
      assert.is(await world.store.count('acme', { collection: 'generations' }), 21)
      await world.store.dropGeneration('acme', old)
      assert.equal(await near('acme', old, 50), [])
      assert.is((await near('acme', next, 50)).length, 9)
      assert.is(await world.store.count('acme', { collection: 'generations', generation: 1 }), 0)
      assert.is(await world.store.count('acme', { collection: 'generations', generation: 2 }), 9)
      await world.store.dropGeneration('acme', old)
    })

    test('drops a segment of every generation or of one, and nothing else', async () => {
      const one = indexOf('segments', 16, 1)
      const two = indexOf('segments', 16, 2)
      for (const index of [one, two]) await fill('acme', index, [...samplePoints(16, 5, 1), ...samplePoints(16, 4, 2)])
      await fill('acme', indexOf('segments-other'), samplePoints(16, 3, 1))
      await world.store.drop('acme', { collection: 'segments', generation: 1, segment: 2 })
      assert.is(await world.store.count('acme', { collection: 'segments', generation: 1 }), 5)
      assert.is(await world.store.count('acme', { collection: 'segments', generation: 2 }), 9)
      await world.store.drop('acme', { collection: 'segments', segment: 1 })
      assert.is(await world.store.count('acme', { collection: 'segments', segment: 1 }), 0)
      assert.is(await world.store.count('acme', { collection: 'segments' }), 4)
      assert.equal(new Set((await near('acme', two, 50)).map((hit) => hit.segment)), new Set([2]))
      await world.store.drop('acme', { collection: 'segments' })
      assert.is(await world.store.count('acme', { collection: 'segments' }), 0)
      assert.is(await world.store.count('acme', { collection: 'segments-other' }), 3)
      await world.store.drop('acme', { collection: 'never-was', generation: 4, segment: 5 })
    })

    test('refuses vectors that do not fit with a code, and writes nothing of that call', async () => {
      const index = indexOf('wrong')
      await fill('acme', index, samplePoints(16, 2, 1))
      const { store } = world
      const good = samplePoints(16, 1, 2)
      const with_ = (vector: Float32Array): VectorPoint[] => [...good, { segment: 2, ordinal: 9, vector }]
      assert.is(await codeOf(store.write('acme', index, with_(sampleVector(15, 1)))), 'WRONG_VECTOR')
      assert.is(await codeOf(store.write('acme', index, with_(new Float32Array(0)))), 'WRONG_VECTOR')
      assert.is(await codeOf(store.write('acme', index, with_(new Float32Array(16).fill(Number.NaN)))), 'WRONG_VECTOR')
      assert.is(await codeOf(store.write('acme', index, with_(new Float32Array(16).fill(Infinity)))), 'WRONG_VECTOR')
      assert.is(await store.count('acme', { collection: 'wrong' }), 2)
      assert.is(await codeOf(near('acme', index, 5, null, sampleVector(17, 1))), 'WRONG_VECTOR')
      assert.is(await codeOf(store.prepare('acme', indexOf('wrong', 4_000))), 'WRONG_VECTOR')
      assert.is(await codeOf(store.prepare('acme', indexOf('wrong', 0))), 'WRONG_VECTOR')
      for (const limit of [0, -1, 1.5, 1_001, Number.NaN]) {
        assert.is(await codeOf(near('acme', index, limit)), 'BAD_INPUT', String(limit))
      }
    })

    test('takes one dimension, odd ones and 3,072, a vector of zeros, and segments beyond 32 bits', async () => {
      for (const dimensions of [1, 3, 513, 3_072]) {
        const index = indexOf(`dimensions-${dimensions}`, dimensions)
        const points = samplePoints(dimensions, 3, Number.MAX_SAFE_INTEGER)
        await fill('acme', index, points)
        const [first] = points
        const found = await near('acme', index, 3, [Number.MAX_SAFE_INTEGER], first?.vector)
        assert.is(found.length, 3)
        assert.is(found[0]?.segment, Number.MAX_SAFE_INTEGER)
        assert.ok((found[0]?.score ?? 0) > 0.998)
      }
      const index = indexOf('zeros')
      const zero = new Float32Array(16)
      await fill('acme', index, [...samplePoints(16, 2, 1), { segment: 5, ordinal: 0, vector: zero }])
      const found = await near('acme', index, 10)
      assert.is(found.length, 3, 'a text without a word is still counted and found last')
      assert.ok(Math.abs(found.find((hit) => hit.segment === 5)?.score ?? 1) < 1e-6)
      assert.is((await near('acme', index, 10, null, zero)).length, 3, 'a question without a word')
    })

    test('keeps names apart that would end a text early', async () => {
      for (const [at, hostile] of HOSTILE.entries()) {
        await fill(hostile, indexOf(hostile), samplePoints(16, 30 + at, at + 1))
      }
      for (const [at, hostile] of HOSTILE.entries()) {
        const found = await near(hostile, indexOf(hostile), 100)
        assert.is(found.length, 30 + at, hostile)
        assert.ok(found.every((hit) => hit.segment === at + 1))
        assert.equal(await near(hostile, indexOf(HOSTILE[(at + 1) % HOSTILE.length] ?? ''), 100), [])
        await world.store.dropGeneration(hostile, indexOf(hostile))
        assert.is(await world.store.count(hostile, { collection: hostile }), 0)
      }
    })

    test(`keeps ${TENANTS} tenants apart that search and drop at the same time`, async () => {
      const index = indexOf('shared-name')
      const tenants = Array.from({ length: TENANTS }, (_, n) => `tenant-${n}`)
      await world.store.prepare('tenant-0', index)
      // The same places and the same vectors in each: only the tenant tells them apart. Each has its own number of them.
      await eachAtOnce(tenants, (tenant, n) =>
        world.store.write(tenant, index, samplePoints(16, 1 + (n % 5), 1 + (n % 3), 4)),
      )
      await eachAtOnce(tenants, async (tenant, n) => {
        const found = await near(tenant, index, 1_000)
        assert.is(found.length, 1 + (n % 5), tenant)
        assert.ok(found.every((hit) => hit.segment === 1 + (n % 3)))
        if (n % 2 === 0) await world.store.drop(tenant, { collection: 'shared-name' })
      })
      await eachAtOnce(tenants, async (tenant, n) => {
        const left = n % 2 === 0 ? 0 : 1 + (n % 5)
        assert.is(await world.store.count(tenant, { collection: 'shared-name' }), left, tenant)
        assert.is((await near(tenant, index, 1_000)).length, left, tenant)
      })
      assert.equal(await near('tenant-of-nobody', index, 10), [])
      assert.is(await codeOf(near('', index, 10)), 'TENANT_MISSING')
    })
  })
}

/** Twenty at a time: more would only wait for a connection, and a slow machine longer than that is allowed to last. */
async function eachAtOnce(
  tenants: readonly string[],
  work: (tenant: string, n: number) => Promise<void>,
): Promise<void> {
  const left = [...tenants.entries()]
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next[1], next[0])
  }
  await Promise.all(Array.from({ length: 20 }, lane))
}
