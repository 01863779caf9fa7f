import { rightSingularVectors } from '#shared/ranking/randomised-svd.ts'
import type { SparseRows } from '#shared/ranking/randomised-svd.ts'
import { fitLsa, lsaEmbedder, lsaFromBytes, lsaToBytes } from '#shared/ranking/lsa.ts'
import { cosine } from '#shared/ranking/memory-index.ts'
import { assert, suite } from '#test/kit/suite.ts'

function sparse(rows: readonly (readonly number[])[]): SparseRows {
  const columns = rows[0]?.length ?? 0
  return {
    columns,
    offsets: Uint32Array.from({ length: rows.length + 1 }, (_, at) => at * columns),
    at: Uint32Array.from({ length: rows.length * columns }, (_, at) => at % columns),
    values: Float32Array.from(rows.flat()),
  }
}

suite('singular vectors', ({ test }) => {
  test('are those of a matrix whose own are known', () => {
    // Singular values 10, 5 and 1 on the axes, turned by 3-4-5.
    const vectors = rightSingularVectors(
      sparse([
        [6, 8, 0],
        [-4, 3, 0],
        [0, 0, 1],
        [0, 0, 0],
      ]),
      2,
      1,
    )
    assert.is(vectors.length, 2)
    for (const [at, expected] of [
      [0.6, 0.8, 0],
      [-0.8, 0.6, 0],
    ].entries())
      assert.ok(Math.abs(cosine(vectors[at]!, Float32Array.from(expected))) > 0.999_99)
  })
  test('are of unit length and at right angles, and as many as the rank has', () => {
    const rows = Array.from({ length: 40 }, (_, r) => Array.from({ length: 30 }, (_c, c) => (r * 7 + c * c * 3) % 11))
    const vectors = rightSingularVectors(sparse([...rows, ...rows]), 64, 7)
    assert.ok(vectors.length > 5 && vectors.length <= 30)
    for (const [i, one] of vectors.entries())
      for (const [j, other] of vectors.entries()) {
        const dot = one.reduce((sum, value, at) => sum + value * other[at]!, 0)
        assert.ok(Math.abs(dot - (i === j ? 1 : 0)) < 1e-2, `${i} ${j} ${dot}`)
      }
  })
  test('of nothing are none', () => {
    assert.equal(rightSingularVectors(sparse([[0, 0]]), 2, 1), [])
    assert.equal(rightSingularVectors(sparse([]), 2, 1), [])
  })
})

// Two words that never meet, in like company; and a subject of another kind.
const texts = [
  ...['oil', 'tyres', 'brakes', 'engine'].flatMap((part) => [
    { text: `The car needs new ${part} when the driver hears the garage call.` },
    { text: `The automobile needs new ${part} when the driver hears the garage call.` },
  ]),
  ...['roses', 'tulips', 'lilies', 'daisies'].map((flower) => ({
    text: `Water the ${flower} of the garden in the evening, when the soil is dry.`,
  })),
]

suite('latent semantic analysis', ({ test }) => {
  const model = fitLsa(texts)
  const embedder = lsaEmbedder(model)

  test('finds what says the same in other words of the collection', () => {
    const asked = embedder.query('automobile')
    const near = (text: string): number => cosine(asked, embedder.document({ text }))
    assert.ok(near('The car needs new oil.') > 0.5, String(near('The car needs new oil.')))
    assert.ok(near('Water the roses of the garden.') < 0.2)
  })
  test('gives the same model for the same passages', () => {
    assert.equal(lsaToBytes(fitLsa(texts)), lsaToBytes(model))
  })
  test('is the same model after it was stored', () => {
    const stored = lsaFromBytes(lsaToBytes(model))
    assert.ok(stored !== null)
    assert.equal(lsaEmbedder(stored).query('car garage'), embedder.query('car garage'))
    const pooled = lsaFromBytes(Buffer.concat([Buffer.from('before'), lsaToBytes(model)]).subarray('before'.length))
    assert.equal(pooled, stored)
    assert.is(lsaFromBytes(lsaToBytes(model).subarray(0, 40)), null)
    assert.is(lsaFromBytes(new Uint8Array(64)), null)
  })
  test('knows nothing of words it has not seen, and of no passages nothing at all', () => {
    assert.ok(embedder.query('xylophone').every((value) => value === 0))
    const empty = lsaFromBytes(lsaToBytes(fitLsa([])))
    assert.ok(
      empty !== null &&
        lsaEmbedder(empty)
          .query('car')
          .every((value) => value === 0),
    )
  })
})
