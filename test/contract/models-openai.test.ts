import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { HumanMessage } from '@langchain/core/messages'
import type { UsageMetadata } from '@langchain/core/messages'

import { createModel } from '#shared/models/port.ts'
import type { ChatModel, ModelCall, ModelDeps, ModelSpec } from '#shared/models/port.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { rejects } from './models.contract.ts'
import { ORDER_TOOL, QUESTION, answerable } from './models-conversation.ts'
import { WireServer } from './models-wire-server.ts'

suite('the chat-completions wire', ({ test, before, after, beforeEach }) => {
  const server = new WireServer()
  let baseUrl = ''
  let calls: ModelCall[] = []
  before(async () => {
    baseUrl = await server.start()
  })
  beforeEach(() => {
    calls = []
    server.requests.length = 0
    server.headers.length = 0
    server.reply()
  })
  after(async () => {
    await server.stop()
    assert.equal(server.violations, [])
  })

  const model = (spec: Partial<ModelSpec> = {}, deps: ModelDeps = {}): ChatModel =>
    createModel(
      {
        provider: 'openai',
        model: 'gpt-4o-mini',
        tenant: 'acme',
        baseUrl,
        apiKey: 'sk-test-0123456789',
        limits: { backoffFirstMs: 1, backoffMaxMs: 2 },
        ...spec,
      },
      { account: (call) => void calls.push(call), ...deps },
    )
  const ask = [new HumanMessage(QUESTION)]

  test('sends what the published shape has: model, messages, tools, choice, limits, and asks for usage', async () => {
    server.reply({ kind: 'text', pieces: ['ok'] })
    const bound = model({ temperature: 0.2, maxOutputTokens: 64, seed: 7 }).bindTools(
      [{ ...ORDER_TOOL, examples: ['Track my package'] }],
      { tool_choice: 'lookup_order_status', stop: ['END'] },
    )
    await bound.invoke(answerable())
    const sent = server.requests[0]
    assert.is(sent?.model, 'gpt-4o-mini')
    assert.equal(
      sent?.messages.map((message) => message.role),
      ['system', 'user', 'assistant', 'tool'],
    )
    assert.equal(sent?.stream_options, { include_usage: true })
    assert.equal(sent?.tool_choice, { type: 'function', function: { name: 'lookup_order_status' } })
    assert.equal([sent?.temperature, sent?.max_tokens, sent?.seed, sent?.stop], [0.2, 64, 7, ['END']])
    assert.is(sent?.tools?.[0]?.function.description, 'Look up the status of an order.\nExamples:\n- Track my package')
    assert.is(server.headers[0]?.authorization, 'Bearer sk-test-0123456789')
  })

  test('keeps templates and other x- keys of a schema to itself', async () => {
    server.reply({ kind: 'text', pieces: ['ok'] })
    await model()
      .bindTools([
        { ...ORDER_TOOL, schema: { ...ORDER_TOOL.schema, 'x-template': 'Order {order_id}', 'x-examples': ['a'] } },
      ])
      .invoke(ask)
    assert.equal(Object.keys(server.requests[0]?.tools?.[0]?.function.parameters ?? {}).toSorted(), [
      'properties',
      'required',
      'type',
    ])
  })

  test('speaks to a server without keys, and never with the key of the environment', async () => {
    const before = process.env['OPENAI_API_KEY']
    process.env['OPENAI_API_KEY'] = 'sk-of-the-platform'
    try {
      server.reply({ kind: 'text', pieces: ['ok'] })
      const keyless = createModel({ provider: 'ollama', model: 'llama3', tenant: 'acme', baseUrl })
      const answer = await keyless.invoke(ask)
      assert.is(server.headers[0]?.authorization, 'Bearer none')
      assert.is(answer.response_metadata['model_provider'], 'ollama')
    } finally {
      if (before === undefined) delete process.env['OPENAI_API_KEY']
      else process.env['OPENAI_API_KEY'] = before
    }
  })

  test('puts two tool calls together from interleaved fragments', async () => {
    const piece = (index: number, fields: object): string =>
      JSON.stringify({
        id: 'c',
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta: { tool_calls: [{ index, ...fields }] }, finish_reason: null }],
      })
    server.reply({
      kind: 'raw',
      lines: [
        piece(0, { id: 'call_x', type: 'function', function: { name: 'lookup_order_status', arguments: '' } }),
        piece(1, { id: 'call_y', type: 'function', function: { name: 'lookup_order_status', arguments: '' } }),
        piece(0, { function: { arguments: '{"order_' } }),
        piece(1, { function: { arguments: '{"order_id":"20' } }),
        piece(0, { function: { arguments: 'id":"1042"}' } }),
        piece(1, { function: { arguments: '43"}' } }),
        JSON.stringify({
          id: 'c',
          object: 'chat.completion.chunk',
          choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }],
        }),
        '[DONE]',
      ],
    })
    const answer = await model().bindTools([ORDER_TOOL]).invoke(ask)
    assert.equal(
      answer.tool_calls?.map(({ id, args }) => ({ id, args })),
      [
        { id: 'call_x', args: { order_id: '1042' } },
        { id: 'call_y', args: { order_id: '2043' } },
      ],
    )
  })

  test('reports usage with the cached part, and its cost', async () => {
    server.reply({ kind: 'text', pieces: ['Hello'] })
    const priced = model(
      {},
      {
        prices: {
          'openai/gpt-4o-mini': { inputPerMillion: 150_000, cachedPerMillion: 75_000, outputPerMillion: 600_000 },
        },
      },
    )
    const answer = await priced.invoke(ask)
    const usage = answer.usage_metadata as UsageMetadata | undefined
    assert.equal(usage, {
      input_tokens: 21,
      output_tokens: 7,
      total_tokens: 28,
      input_token_details: { cache_read: 16 },
    })
    // (21 - 16) fresh, 16 cached, 7 out
    assert.is(answer.response_metadata['cost_micros'], 5 * 150_000 + 16 * 75_000 + 7 * 600_000)
    assert.is(answer.response_metadata['usage_estimated'], false)
  })

  test('estimates usage when the server reports none, and says so', async () => {
    server.reply({ kind: 'text', pieces: ['Hello there'], usage: false })
    const answer = await model({ streamUsage: false }).invoke(ask)
    assert.is(server.requests[0]?.stream_options, undefined)
    assert.is(answer.response_metadata['usage_estimated'], true)
    assert.ok(((answer.usage_metadata as UsageMetadata | undefined)?.output_tokens ?? 0) > 0)
  })

  test('a busy server is asked again after the pause it wants', async () => {
    const busy = { kind: 'status', status: 429, headers: { 'retry-after-ms': '30' } } as const
    server.reply(busy, { kind: 'text', pieces: ['ok'] })
    const begun = performance.now()
    assert.is((await model().invoke(ask)).text, 'ok')
    assert.ok(performance.now() - begun >= 29)
    assert.equal(
      calls.map((call) => [call.attempt, call.outcome]),
      [
        [1, 'MODEL_BUSY'],
        [2, 'ok'],
      ],
    )
  })

  test('a pause longer than a call may wait is told to the caller at once', async () => {
    server.reply({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } })
    const error = await rejects('MODEL_BUSY', model().invoke(ask))
    assert.is(error.details['retryAfterMs'], 3_600_000)
    assert.is(server.requests.length, 1)
  })

  test('reads a retry-after that is a date', async () => {
    const at = new Date(Date.now() + 120_000).toUTCString()
    server.reply({ kind: 'status', status: 503, headers: { 'retry-after': at } })
    const error = await rejects('MODEL_DOWN', model().invoke(ask))
    const asked = error.details['retryAfterMs']
    assert.ok(typeof asked === 'number' && asked > 100_000 && asked <= 120_000, String(asked))
  })

  test('a failing server is asked as often as the limits say, then MODEL_DOWN', async () => {
    const down = { kind: 'status', status: 500 } as const
    server.reply(down, down, down, { kind: 'text', pieces: ['too late'] })
    await rejects('MODEL_DOWN', model().invoke(ask))
    assert.is(server.requests.length, 3)
  })

  test('a refused key is not tried again, and is not repeated in the error', async () => {
    server.reply({
      kind: 'status',
      status: 401,
      body: {
        error: {
          message: 'Incorrect API key provided: sk-test-0123456789. See sk-proj-abcdefgh',
          code: 'invalid_api_key',
        },
      },
    })
    const error = await rejects('MODEL_AUTH', model().invoke(ask))
    assert.is(server.requests.length, 1)
    assert.not.match(JSON.stringify(error.details) + error.message, 'sk-')
  })

  test('a used-up quota is the account and not a wait', async () => {
    server.reply({
      kind: 'status',
      status: 429,
      body: { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } },
    })
    await rejects('MODEL_AUTH', model().invoke(ask))
    assert.is(server.requests.length, 1)
  })

  test('a stream cut before any text is asked again; after text it is not', async () => {
    server.reply({ kind: 'cut', pieces: [''] }, { kind: 'text', pieces: ['whole'] })
    assert.is((await model().invoke(ask)).text, 'whole')
    server.reply({ kind: 'cut', pieces: ['half'] }, { kind: 'text', pieces: ['again'] })
    await rejects('MODEL_CUT', model().invoke(ask))
    assert.equal(
      calls.map((call) => call.outcome),
      ['MODEL_CUT', 'ok', 'MODEL_CUT'],
    )
    assert.is(server.requests.length, 3)
  })

  test('a stream that ends politely but without a finish reason was cut', async () => {
    server.reply({
      kind: 'raw',
      lines: [
        JSON.stringify({
          id: 'c',
          object: 'chat.completion.chunk',
          choices: [{ index: 0, delta: { content: 'half' }, finish_reason: null }],
        }),
      ],
    })
    await rejects('MODEL_CUT', model().invoke(ask))
  })

  test('an error inside the stream is mapped by its own words', async () => {
    server.reply({
      kind: 'raw',
      lines: [
        JSON.stringify({
          error: { message: 'Rate limit reached', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
        }),
      ],
    })
    await rejects('MODEL_BUSY', model({ limits: { attempts: 1 } }).invoke(ask))
  })

  test('a page of HTML with status 200 is malformed', async () => {
    const page = {
      kind: 'raw',
      lines: ['<html>sign in to the hotel network</html>'],
      contentType: 'text/html',
    } as const
    server.reply(page)
    await rejects('MODEL_MALFORMED', model({ limits: { attempts: 1 } }).invoke(ask))
  })

  test('arguments that are no JSON are malformed, unless the token limit cut them', async () => {
    const broken = (finish: string) =>
      ({
        kind: 'raw',
        lines: [
          JSON.stringify({
            id: 'c',
            object: 'chat.completion.chunk',
            choices: [
              {
                index: 0,
                delta: {
                  tool_calls: [
                    {
                      index: 0,
                      id: 'call_1',
                      type: 'function',
                      function: { name: 'lookup_order_status', arguments: '{"order_id":' },
                    },
                  ],
                },
                finish_reason: null,
              },
            ],
          }),
          JSON.stringify({
            id: 'c',
            object: 'chat.completion.chunk',
            choices: [{ index: 0, delta: {}, finish_reason: finish }],
          }),
          '[DONE]',
        ],
      }) as const
    const once = model({ limits: { attempts: 1 } }).bindTools([ORDER_TOOL])
    server.reply(broken('tool_calls'))
    await rejects('MODEL_MALFORMED', once.invoke(ask))
    server.reply(broken('length'))
    await rejects('MODEL_CUT', once.invoke(ask))
  })

  test('a filtered answer is refused', async () => {
    server.reply({
      kind: 'raw',
      lines: [
        JSON.stringify({
          id: 'c',
          object: 'chat.completion.chunk',
          choices: [{ index: 0, delta: {}, finish_reason: 'content_filter' }],
        }),
        '[DONE]',
      ],
    })
    await rejects('MODEL_REFUSED', model().invoke(ask))
    assert.is(server.requests.length, 1)
  })

  test('aborting before the first byte closes the connection', async () => {
    server.reply({ kind: 'hang', pieces: [] })
    const stop = new AbortController()
    const left = server.abandoned
    const asked = rejects('CANCELLED', model().invoke(ask, { signal: stop.signal }))
    await server.asked(1)
    stop.abort()
    await asked
    await server.left(left + 1)
    assert.equal(
      calls.map((call) => [call.outcome, call.usage.outputTokens]),
      [['CANCELLED', 0]],
    )
  })

  test('a first byte that does not come in time is MODEL_DOWN, and the connection is closed', async () => {
    server.reply({ kind: 'hang', pieces: [] })
    const left = server.abandoned
    const error = await rejects('MODEL_DOWN', model({ limits: { attempts: 1, firstPieceMs: 40 } }).invoke(ask))
    assert.is(error.details['limitMs'], 40)
    await server.left(left + 1)
  })

  test('nobody listening is MODEL_DOWN', async () => {
    await rejects('MODEL_DOWN', model({ baseUrl: 'http://127.0.0.1:9/v1', limits: { attempts: 1 } }).invoke(ask))
  })

  test('falls back to the next model when the first is down, and says which answered', async () => {
    server.reply({ kind: 'status', status: 500 })
    const chain = model({ limits: { attempts: 1 }, fallbacks: [{ provider: 'builtin', tenant: 'acme' }] }).bindTools([
      ORDER_TOOL,
    ])
    const answer = await chain.invoke(answerable())
    assert.is(answer.response_metadata['model_provider'], 'builtin')
    assert.equal(
      calls.map((call) => [call.provider, call.outcome]),
      [
        ['openai', 'MODEL_DOWN'],
        ['builtin', 'ok'],
      ],
    )
  })

  test('a tool name that the wire cannot carry is refused by name, and nothing is sent', async () => {
    const error = await rejects(
      'MODEL_REFUSED',
      model()
        .bindTools([{ ...ORDER_TOOL, name: 'orders.look up' }])
        .invoke(ask),
    )
    assert.is(error.details['tool'], 'orders.look up')
    assert.is(server.requests.length, 0)
  })
})

suite('loading a model', ({ test }) => {
  test('contacts nobody, even where tracing is asked for', async () => {
    const script = fileURLToPath(new URL('./models-offline.ts', import.meta.url))
    const env = {
      ...process.env,
      LANGSMITH_TRACING: 'true',
      LANGCHAIN_TRACING_V2: 'true',
      LANGSMITH_API_KEY: 'k',
      LANGCHAIN_CALLBACKS_BACKGROUND: 'false',
    }
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env, timeout: 20_000 })
    assert.is(stdout.trim(), 'Order 1042 is shipped. 0 connections, 0 look-ups')
  })
})
