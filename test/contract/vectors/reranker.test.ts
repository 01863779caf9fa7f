/** What every reranker does, whatever provider is behind it: one suite, run on each wire. */
import type { ModelCall } from '#shared/models/model-chain.ts'
import { createReranker } from '#shared/vectors/create-reranker.ts'
import type { RerankerSpec } from '#shared/vectors/create-reranker.ts'
import type { Reranker } from '#shared/vectors/reranker.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { ProviderServer, scoreOf } from './provider-server.ts'

type Results = readonly Record<string, unknown>[]

const KEY = 'key-0123456789'
const never = new AbortController().signal
const CASES = [
  { provider: 'cohere', base: '', score: 'relevance_score', bare: false },
  { provider: 'jina', base: '/v1', score: 'relevance_score', bare: false },
  { provider: 'tei', base: '', score: 'score', bare: true },
] as const

for (const { provider, base, score, bare } of CASES) {
  suite(`reranking over the wire of ${provider}`, ({ test, before, beforeEach, afterEach, after }) => {
    const server = new ProviderServer()
    let address = ''
    let calls: ModelCall[] = []
    before(async () => {
      address = await server.start()
    })
    beforeEach(() => {
      calls = []
      server.next()
    })
    afterEach(() => server.idle())
    after(async () => {
      await server.stop()
      assert.equal(server.violations, [])
    })

    const reranker = (spec: Partial<RerankerSpec> = {}): Reranker =>
      createReranker(
        {
          provider,
          model: 'the-model',
          tenant: 'acme',
          baseUrl: `${address}${base}`,
          apiKey: KEY,
          limits: { backoffFirstMs: 1, backoffMaxMs: 2 },
          ...spec,
        },
        { account: (call) => void calls.push(call) },
      )
    const texts = (count: number): string[] => Array.from({ length: count }, (_, n) => `passage ${n}`)
    /** An answer whose results are changed. */
    const changed = (change: (results: Results) => unknown) => ({
      change: (answer: unknown) =>
        bare ? change(answer as Results) : { results: change((answer as { results: Results }).results) },
    })

    test('gives the score of each text in the order of the texts, though the answer is sorted', async () => {
      assert.equal(await reranker().rerank('how long?', texts(30), never), texts(30).map(scoreOf))
      assert.is(server.requests.length, 1)
      assert.is(server.requests[0]?.headers.authorization, `Bearer ${KEY}`)
      assert.equal(await reranker().rerank('how long?', [], never), [])
      assert.is(reranker().id, `${provider}/the-model`)
      assert.is(calls.length, 1)
      assert.ok((calls[0]?.usage.inputTokens ?? 0) > 0)
    })

    test('splits what is too much for one request only where scores can be compared', async () => {
      if (provider === 'tei') {
        assert.equal(await reranker().rerank('q', texts(100), never), texts(100).map(scoreOf))
        assert.is(server.requests.length, 4)
      } else {
        assert.is(await codeOf(reranker({ maxBatch: 10 }).rerank('q', texts(11), never)), 'BAD_INPUT')
        assert.is(server.requests.length, 0)
      }
      assert.is(await codeOf(reranker().rerank('q', texts(1_001), never)), 'BAD_INPUT')
    })

    const wrong: Record<string, (results: Results) => unknown> = {
      'one score fewer': (results) => results.slice(1),
      'one score more': (results) => [...results, { index: 3, [score]: 1 }],
      'two scores of one text': (results) => results.map((result) => ({ ...result, index: 1 })),
      'a place that is none': (results) => results.map((result) => ({ ...result, index: -1 })),
      'text for a score': (results) => results.map((result) => ({ ...result, [score]: '0.9' })),
      'no score': (results) => results.map(({ index }) => ({ index })),
      'no list': () => 'none',
    }
    for (const [what, change] of Object.entries(wrong)) {
      test(`uses nothing of an answer with ${what}`, async () => {
        const reply = changed(change)
        server.next(reply, reply, reply)
        assert.is(await codeOf(reranker().rerank('q', texts(3), never)), 'MODEL_MALFORMED')
        server.next(reply)
        assert.equal(await reranker().rerank('q', texts(3), never), texts(3).map(scoreOf))
      })
    }

    test('tries again what may pass, and says what does not', async () => {
      server.next({ status: 429, headers: { 'retry-after-ms': '1' } }, { status: 503 })
      assert.equal(await reranker().rerank('q', texts(3), never), texts(3).map(scoreOf))
      assert.equal(
        calls.map(({ outcome }) => outcome),
        ['MODEL_BUSY', 'MODEL_DOWN', 'ok'],
      )
      server.next({ status: 401 })
      assert.is(await codeOf(reranker().rerank('q', texts(3), never)), 'MODEL_AUTH')
      server.next({ status: 422, body: { error: 'batch size 3 > maximum', error_type: 'Validation' } })
      assert.is(await codeOf(reranker().rerank('q', texts(3), never)), 'MODEL_REFUSED')
      server.next({ text: '[' })
      assert.is(await codeOf(reranker({ limits: { attempts: 1 } }).rerank('q', texts(3), never)), 'MODEL_MALFORMED')
      server.next('silent')
      assert.is(
        await codeOf(reranker({ limits: { attempts: 1, answerMs: 30 } }).rerank('q', texts(3), never)),
        'MODEL_DOWN',
      )
      assert.is(await codeOf(reranker().rerank('q', texts(3), AbortSignal.abort())), 'CANCELLED')
    })
  })
}

suite('which reranker', ({ test }) => {
  test('is refused when its description is wrong', () => {
    const spec = { provider: 'nobody', model: '', tenant: 'acme' } as unknown as RerankerSpec
    assert.throws(
      () => createReranker(spec),
      (error: Error) => Reflect.get(error, 'code') === 'BAD_INPUT',
    )
  })
})
