/** What every embedder does, whatever provider is behind it: one suite, run on each wire. */
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { guardedAgent } from '#shared/lib/outbound/guarded-agent.ts'
import { guardedFetch } from '#shared/lib/outbound/guarded-fetch.ts'
import { BREAKER_FAILURES, BreakerBoard } from '#shared/models/breaker.ts'
import type { ModelCall } from '#shared/models/model-chain.ts'
import { systemClock } from '#shared/lib/clock.ts'
import { createEmbedder } from '#shared/vectors/create-embedder.ts'
import type { EmbedderDeps, EmbedderSpec } from '#shared/vectors/create-embedder.ts'
import type { Embedder } from '#shared/vectors/embedder.ts'
import { PARALLEL_BATCHES } from '#shared/vectors/embedders/hosted-embedder.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { PROVIDER_DIMENSIONS, ProviderServer, embed } from './provider-server.ts'

type Hosted = Exclude<EmbedderSpec, { provider: 'builtin' }>
type Change = (answer: never) => unknown

interface WireCase {
  readonly provider: Hosted['provider']
  /** After the server's address. */
  readonly base: string
  readonly keyHeader: readonly [name: string, value: string]
  /** Whether the provider says how many tokens it counted. */
  readonly counts: boolean
  /** In the body of a request: the texts, and what tells a question from a document. */
  readonly texts: (body: never) => unknown
  readonly kind: (body: never) => unknown
  readonly kinds: readonly [document: unknown, query: unknown]
  /** Answers that must be refused. */
  readonly wrong: Readonly<Record<string, Change>>
}

const KEY = 'key-0123456789'
const never = new AbortController().signal

const CASES: readonly WireCase[] = [
  {
    provider: 'openai',
    base: '/v1',
    keyHeader: ['authorization', `Bearer ${KEY}`],
    counts: true,
    texts: ({ input }: { input: string[] }) => input,
    kind: () => null,
    kinds: [null, null],
    wrong: {
      'one vector fewer': (answer: { data: object[] }) => ({ ...answer, data: answer.data.slice(1) }),
      'one vector more': (answer: { data: object[] }) => ({ ...answer, data: [...answer.data, ...answer.data] }),
      'two of the same place': (answer: { data: object[] }) => ({
        ...answer,
        data: answer.data.map((one) => ({ ...one, index: 0 })),
      }),
      'a place that is none': (answer: { data: object[] }) => ({
        ...answer,
        data: answer.data.map((one) => ({ ...one, index: 99 })),
      }),
      'text for a vector': (answer: { data: object[] }) => ({
        ...answer,
        data: answer.data.map((one) => ({ ...one, embedding: 'AAAA' })),
      }),
      'null in a vector': (answer: { data: object[] }) => ({
        ...answer,
        data: answer.data.map((one) => ({ ...one, embedding: [1, null, 1, 1, 1, 1] })),
      }),
      'no list': () => ({ object: 'list' }),
      null: () => null,
    },
  },
  {
    provider: 'ollama',
    base: '',
    keyHeader: ['authorization', `Bearer ${KEY}`],
    counts: true,
    texts: ({ input }: { input: string[] }) => input,
    kind: () => null,
    kinds: [null, null],
    wrong: {
      'one vector fewer': (answer: { embeddings: object[] }) => ({ embeddings: answer.embeddings.slice(1) }),
      'an empty vector': (answer: { embeddings: object[] }) => ({ embeddings: answer.embeddings.map(() => []) }),
      'no list': () => ({ model: 'served' }),
    },
  },
  {
    provider: 'google',
    base: '/v1beta',
    keyHeader: ['x-goog-api-key', KEY],
    counts: false,
    texts: ({ requests }: { requests: { content: { parts: { text: string }[] } }[] }) =>
      requests.map(({ content }) => content.parts[0]?.text),
    kind: ({ requests }: { requests: { taskType: string }[] }) => requests[0]?.taskType,
    kinds: ['RETRIEVAL_DOCUMENT', 'RETRIEVAL_QUERY'],
    wrong: {
      'one vector fewer': (answer: { embeddings: object[] }) => ({ embeddings: answer.embeddings.slice(1) }),
      'no values': (answer: { embeddings: object[] }) => ({ embeddings: answer.embeddings.map(() => ({})) }),
    },
  },
  {
    provider: 'cohere',
    base: '',
    keyHeader: ['authorization', `Bearer ${KEY}`],
    counts: true,
    texts: ({ texts }: { texts: string[] }) => texts,
    kind: ({ input_type }: { input_type: string }) => input_type,
    kinds: ['search_document', 'search_query'],
    wrong: {
      'one vector fewer': (answer: { embeddings: { float: object[] } }) => ({
        embeddings: { float: answer.embeddings.float.slice(1) },
      }),
      'another type of number': () => ({ embeddings: { int8: [[1, 2, 3]] } }),
    },
  },
]

for (const wire of CASES) {
  suite(`embedding over the wire of ${wire.provider}`, ({ test, before, beforeEach, afterEach, after }) => {
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

    const embedder = (spec: Partial<Hosted> = {}, deps: EmbedderDeps = {}): Embedder =>
      createEmbedder(
        {
          provider: wire.provider,
          model: 'the-model',
          tenant: 'acme',
          dimensions: PROVIDER_DIMENSIONS,
          baseUrl: `${address}${wire.base}`,
          apiKey: KEY,
          limits: { backoffFirstMs: 1, backoffMaxMs: 2 },
          ...spec,
        },
        { account: (call) => void calls.push(call), ...deps },
      )
    const documents = (count: number): { text: string }[] =>
      Array.from({ length: count }, (_, n) => ({ text: `passage ${n}` }))
    const expected = (text: string): number[] => [...Float32Array.from(embed(text))]
    const numbers = (vectors: readonly Float32Array[]): number[][] => vectors.map((vector) => [...vector])

    test('gives the vector of each text in the order of the texts, in batches', async () => {
      const made = embedder({ maxBatch: 3 })
      assert.is(made.id, `${wire.provider}/the-model`)
      const vectors = await made.embedDocuments(documents(23), never)
      assert.equal(
        numbers(vectors),
        documents(23).map(({ text }) => expected(text)),
      )
      assert.is(server.requests.length, 8)
      assert.ok(server.requests.every(({ body }) => (wire.texts(body as never) as string[]).length <= 3))
      assert.ok(server.peak <= PARALLEL_BATCHES)
      assert.is(server.requests[0]?.headers[wire.keyHeader[0]], wire.keyHeader[1])
      assert.equal(await made.embedDocuments([], never), [])
    })

    test('embeds a chunk with its title and headings, a question bare, and tells them apart where it can', async () => {
      const made = embedder()
      await made.embedDocuments(
        [{ title: 'Handbook', headings: ['Returns', 'Refunds'], text: 'Within 30 days.' }],
        never,
      )
      await made.embedQuery(' How long? ', {}, never)
      const [document, query] = server.requests.map(({ body }) => body as never)
      assert.equal(wire.texts(document as never), ['Handbook › Returns › Refunds\n\nWithin 30 days.'])
      assert.equal(wire.texts(query as never), ['How long?'])
      assert.equal([wire.kind(document as never), wire.kind(query as never)], wire.kinds)
    })

    test('asks nobody about a text without a character', async () => {
      const made = embedder()
      const vectors = await made.embedDocuments([{ text: ' \n' }, { text: 'a' }, { text: '', title: 'T' }], never)
      assert.equal(numbers(vectors), [[0, 0, 0, 0, 0, 0], expected('a'), [0, 0, 0, 0, 0, 0]])
      assert.equal([...(await made.embedQuery('', {}, never))], [0, 0, 0, 0, 0, 0])
      assert.is(server.requests.length, 1)
    })

    test('asks for shorter vectors when it is told to, and only then', async () => {
      const short = await embedder({ dimensions: 4, shorten: true }).embedQuery('a', {}, never)
      assert.is(short.length, 4)
      assert.is(await codeOf(embedder({ dimensions: 4 }).embedQuery('a', {}, never)), 'MODEL_MALFORMED')
      assert.is(server.requests.length, 2, 'a model of another size is not asked again')
    })

    test('accounts each try once, with the tokens that were counted by whoever counts', async () => {
      server.next({ status: 503 })
      const prices = { [`${wire.provider}/the-model`]: { inputPerMillion: 2, outputPerMillion: 0 } }
      await embedder({}, { prices }).embedDocuments(documents(2), never)
      assert.equal(
        calls.map(({ outcome, attempt, tenant }) => [outcome, attempt, tenant]),
        [
          ['MODEL_DOWN', 1, 'acme'],
          ['ok', 2, 'acme'],
        ],
      )
      const [failed, done] = calls
      assert.is(failed?.usage.inputTokens, 0)
      assert.is(done?.estimated, !wire.counts)
      if (wire.counts) assert.equal([done?.usage.inputTokens, done?.costMicros], [14, 28])
      else assert.ok((done?.usage.inputTokens ?? 0) > 0)
    })

    test('waits as long as it is told and asks again; gives up when that is too long', async () => {
      server.next({ status: 429, headers: { 'retry-after-ms': '30' } })
      const begun = performance.now()
      await embedder().embedQuery('a', {}, never)
      assert.ok(performance.now() - begun >= 28)
      assert.is(server.requests.length, 2)
      server.next({ status: 429, headers: { 'retry-after': '3600' } })
      const failure = await failureOf(embedder().embedQuery('a', {}, never))
      assert.is(failure.code, 'MODEL_BUSY')
      assert.is(failure.details['retryAfterMs'], 3_600_000)
      assert.is(server.requests.length, 1)
    })

    const failures: readonly [what: string, code: ErrorCode, tries: number, ...Parameters<ProviderServer['next']>][] = [
      ['a server error', 'MODEL_DOWN', 3, { status: 500 }, { status: 502 }, { status: 503 }],
      ['a key that is not valid', 'MODEL_AUTH', 1, { status: 401, body: { message: 'invalid api token' } }],
      ['a model that is not there', 'MODEL_REFUSED', 1, { status: 404, body: { error: 'model not found' } }],
      ['a redirect', 'MODEL_REFUSED', 1, { status: 307, headers: { location: 'http://127.0.0.1:9/' } }],
      ['broken JSON', 'MODEL_MALFORMED', 3, { text: '{"data": [' }, { text: '<html>' }, { text: '' }],
      ['a connection that ends in the middle', 'MODEL_CUT', 3, 'cut', 'cut', 'cut'],
    ]
    for (const [what, code, tries, ...replies] of failures) {
      test(`answers ${code} to ${what}`, async () => {
        server.next(...replies)
        assert.is(await codeOf(embedder().embedQuery('a', {}, never)), code)
        assert.is(server.requests.length, tries)
        server.next(...replies.slice(0, 1))
        if (tries > 1) assert.equal([...(await embedder().embedQuery('a', {}, never))], expected('a'), 'it may pass')
      })
    }

    for (const [what, change] of Object.entries(wire.wrong)) {
      test(`uses nothing of an answer with ${what}`, async () => {
        const reply = { change: change as (answer: Record<string, never>) => unknown }
        server.next(reply, reply, reply)
        assert.is(await codeOf(embedder().embedDocuments(documents(3), never)), 'MODEL_MALFORMED')
        server.next(reply)
        const vectors = await embedder().embedDocuments(documents(3), never)
        assert.equal(
          numbers(vectors),
          documents(3).map(({ text }) => expected(text)),
        )
      })
    }

    test('ends when nobody answers in time, and when it is cancelled', async () => {
      server.next('silent')
      const impatient = embedder({ limits: { attempts: 1, answerMs: 40 } })
      assert.is(await codeOf(impatient.embedQuery('a', {}, never)), 'MODEL_DOWN')
      server.next('silent')
      const stop = new AbortController()
      const asking = codeOf(embedder().embedQuery('a', {}, stop.signal))
      stop.abort()
      assert.is(await asking, 'CANCELLED')
      assert.is(await codeOf(embedder().embedDocuments(documents(2), stop.signal)), 'CANCELLED')
    })

    test('ends the other batches when one has failed', async () => {
      server.next({ change: (answer) => answer }, { status: 400 })
      assert.is(await codeOf(embedder({ maxBatch: 1 }).embedDocuments(documents(200), never)), 'MODEL_REFUSED')
      assert.ok(server.requests.length < 20, `${server.requests.length} requests`)
    })

    test('is not asked for a while after it failed in a row, and then by one request first', async () => {
      let now = 0
      const clock = { ...systemClock, elapsed: () => now }
      const breakers = new BreakerBoard(clock)
      const failing = new ProviderServer()
      const baseUrl = `${await failing.start()}${wire.base}`
      const made = embedder({ baseUrl, maxBatch: 1, limits: { attempts: 1 } }, { breakers, clock })
      failing.next(...Array.from({ length: BREAKER_FAILURES }, () => ({ status: 500 })))
      for (let n = 0; n < BREAKER_FAILURES; n++) await codeOf(made.embedQuery('a', {}, never))
      assert.is(await codeOf(made.embedQuery('a', {}, never)), 'MODEL_DOWN')
      assert.is(failing.requests.length, BREAKER_FAILURES)
      now += 3_600_000
      assert.is((await made.embedDocuments(documents(9), never)).length, 9)
      await failing.stop()
    })

    test('repeats no secret that the provider echoes', async () => {
      server.next({ status: 400, body: { error: { message: `Incorrect key ${KEY} and hunter2-hunter2` } } })
      const made = embedder({ headers: { 'x-other': 'hunter2-hunter2' } })
      const failure = await failureOf(made.embedQuery('a', {}, never))
      assert.not.ok(JSON.stringify([failure.message, failure.details]).includes(KEY))
      assert.not.ok(JSON.stringify([failure.message, failure.details]).includes('hunter2'))
      assert.is(server.requests[0]?.headers['x-other'], 'hunter2-hunter2')
    })

    test('reaches no private address through a guarded fetch, unless it is allowed by name', async () => {
      const port = Number(new URL(address).port)
      const agent = guardedAgent({ allow: [`127.0.0.1:${port}`], ports: [80, 443] })
      const allowed = guardedFetch(agent, { allow: [`127.0.0.1:${port}`], ports: [80, 443] })
      assert.equal([...(await embedder({}, { fetch: allowed }).embedQuery('a', {}, never))], expected('a'))
      const elsewhere = guardedAgent({ allow: [], ports: [port] }, { resolve: async () => ['127.0.0.1'] })
      const guarded = guardedFetch(elsewhere, { allow: [], ports: [port] })
      for (const host of ['127.0.0.1', 'rebinding.example']) {
        const made = embedder({ baseUrl: `http://${host}:${port}${wire.base}` }, { fetch: guarded })
        assert.is(await codeOf(made.embedQuery('a', {}, never)), 'ADDRESS_REFUSED', host)
      }
      await Promise.all([agent.close(), elsewhere.close()])
    })

    test('refuses an answer without end', async () => {
      const made = embedder({ limits: { attempts: 1, answerMaxBytes: 100 } })
      assert.is(await codeOf(made.embedDocuments(documents(20), never)), 'MODEL_MALFORMED')
    })
  })
}

async function failureOf(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; details: Record<string, unknown> }> {
  const thrown: unknown = await work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  return thrown as never
}

suite('which embedder', ({ test }) => {
  test('is refused by field when its description is wrong', () => {
    const wrong: readonly [string, Record<string, unknown>][] = [
      ['dimensions', { dimensions: 0 }],
      ['dimensions', { dimensions: 4_000 }],
      ['baseUrl', { baseUrl: 'file:///etc/passwd' }],
      ['model', { model: '' }],
      ['provider', { provider: 'nobody' }],
      ['', { surprise: 1 }],
    ]
    for (const [field, change] of wrong) {
      const spec = { provider: 'openai', model: 'm', tenant: 'acme', dimensions: 3, ...change }
      assert.throws(
        () => createEmbedder(spec as EmbedderSpec),
        (error: Error) => Reflect.get(error, 'code') === 'BAD_INPUT' && JSON.stringify(error).includes(field),
      )
    }
  })

  test('without a key is reckoned here, with the weights of the collection, and can be cancelled', async () => {
    const asked: string[] = []
    const lexical = {
      id: 'builtin/words',
      dimensions: 2,
      document: ({ text }: { text: string }) => Float32Array.of(text.length, 1),
      query: (question: string, idf: (term: string) => number) => {
        asked.push(question)
        return Float32Array.of(idf(question), 0)
      },
    }
    const made = createEmbedder({ provider: 'builtin' }, { lexical })
    assert.is(made.id, 'builtin/words')
    const vectors = await made.embedDocuments(
      Array.from({ length: 200 }, (_, n) => ({ text: 'x'.repeat(n) })),
      never,
    )
    assert.equal(
      vectors.map((vector) => vector[0]),
      Array.from({ length: 200 }, (_, n) => n),
    )
    assert.is((await made.embedQuery('refund', { idf: (term) => term.length }, never))[0], 6)
    assert.is((await made.embedQuery('refund', {}, never))[0], 1)
    assert.equal(asked, ['refund', 'refund'])
    assert.is(await codeOf(made.embedDocuments([{ text: 'a' }], AbortSignal.abort())), 'CANCELLED')
    assert.is(await codeOf(Promise.resolve().then(() => createEmbedder({ provider: 'builtin' }))), 'CONFIG')
  })
})
