import { HumanMessage } from '@langchain/core/messages'
import type { AIMessageChunk } from '@langchain/core/messages'

import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { BREAKER_FAILURES, BREAKER_OPEN_MS, BreakerBoard } from '#shared/models/breaker.ts'
import { createModel } from '#shared/models/port.ts'
import type { ChatModel, ModelCall, ModelSpec } from '#shared/models/port.ts'
import type { Script, ScriptTurn } from '#shared/models/scripted/script.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

const say = (...text: string[]): ScriptTurn => ({ steps: [{ say: text }] })
const fail = (code: ErrorCode, details = {}): ScriptTurn => ({ steps: [{ fail: new WaggleError(code, details) }] })
const ask = [new HumanMessage('Hello')]

interface World {
  readonly clock: SimClock
  readonly calls: ModelCall[]
  readonly breakers: BreakerBoard
  readonly model: (script: Script, spec?: Partial<ModelSpec>) => ChatModel
}

function world(): World {
  const clock = new SimClock()
  const calls: ModelCall[] = []
  const breakers = new BreakerBoard(clock)
  return {
    clock,
    calls,
    breakers,
    model: (script, spec = {}) =>
      createModel(
        { provider: 'scripted', model: 'told', tenant: 'acme', ...spec },
        { clock, random: () => 0.5, breakers, script, account: (call) => void calls.push(call) },
      ),
  }
}

suite('model chain', ({ test }) => {
  test('a failing model is asked again after a growing pause, as often as its limit says', async () => {
    const { clock, calls, model } = world()
    const answer = clock.settle(model([fail('MODEL_DOWN'), fail('MODEL_MALFORMED'), say('ok')]).invoke(ask))
    assert.is((await answer).text, 'ok')
    assert.equal(
      calls.map((call) => [call.attempt, call.outcome]),
      [
        [1, 'MODEL_DOWN'],
        [2, 'MODEL_MALFORMED'],
        [3, 'ok'],
      ],
    )
    // half of 250 and a half of the other half; then the same of 500
    assert.is(clock.now(), Date.UTC(2026, 0, 1) + 188 + 375)
  })

  test('the last failure is the one that is told', async () => {
    const { clock, model } = world()
    assert.is(
      await clock.settle(codeOf(model([fail('MODEL_DOWN'), fail('MODEL_DOWN'), fail('MODEL_CUT')]).invoke(ask))),
      'MODEL_CUT',
    )
  })

  test('auth and refusals are not tried again', async () => {
    for (const code of ['MODEL_AUTH', 'MODEL_REFUSED'] as const) {
      const { clock, calls, model } = world()
      assert.is(await clock.settle(codeOf(model([fail(code), say('no')]).invoke(ask))), code)
      assert.is(calls.length, 1)
    }
  })

  test('nothing is tried again once text was handed out, whatever failed', async () => {
    for (const code of ['MODEL_DOWN', 'MODEL_BUSY', 'MODEL_CUT', 'MODEL_MALFORMED'] as const) {
      const { clock, calls, model } = world()
      const turn: ScriptTurn = { steps: [{ say: ['Half an '] }, { fail: new WaggleError(code) }] }
      assert.is(
        await clock.settle(
          codeOf(model([turn, say('again')], { fallbacks: [{ provider: 'builtin', tenant: 'acme' }] }).invoke(ask)),
        ),
        code,
      )
      assert.equal(
        calls.map((call) => call.outcome),
        [code],
      )
    }
  })

  test('an empty piece of text is no answer yet', async () => {
    const { clock, model } = world()
    const turn: ScriptTurn = { steps: [{ say: [''] }, { fail: new WaggleError('MODEL_CUT') }] }
    assert.is((await clock.settle(model([turn, say('whole')]).invoke(ask))).text, 'whole')
  })

  test('a wanted pause is kept, and a longer one than allowed ends the tries', async () => {
    const { clock, calls, model } = world()
    const begun = clock.now()
    await clock.settle(model([fail('MODEL_BUSY', { retryAfterMs: 7_000 }), say('ok')]).invoke(ask))
    assert.is(clock.now() - begun, 7_000)
    assert.is(
      await clock.settle(codeOf(model([fail('MODEL_BUSY', { retryAfterMs: 10_001 }), say('no')]).invoke(ask))),
      'MODEL_BUSY',
    )
    assert.equal(
      calls.map((call) => call.outcome),
      ['MODEL_BUSY', 'ok', 'MODEL_BUSY'],
    )
  })

  test('an error that has no code of a model is MODEL_DOWN; a refusal in code keeps its own', async () => {
    const { clock, model } = world()
    const odd: Script = () => {
      throw new TypeError('undefined is not a function')
    }
    assert.is(await clock.settle(codeOf(model(odd).invoke(ask))), 'MODEL_DOWN')
    const own: Script = () => {
      throw refuse('BAD_INPUT')
    }
    assert.is(await clock.settle(codeOf(model(own).invoke(ask))), 'BAD_INPUT')
  })

  test('stopping while it waits to try again ends it at once', async () => {
    const { clock, calls, model } = world()
    const stop = new AbortController()
    const asked = codeOf(
      model([fail('MODEL_BUSY', { retryAfterMs: 9_000 }), say('no')]).invoke(ask, { signal: stop.signal }),
    )
    await clock.advance(100)
    stop.abort()
    assert.is(await asked, 'CANCELLED')
    assert.equal(
      calls.map((call) => call.outcome),
      ['MODEL_BUSY'],
    )
    assert.is(clock.armed, 0)
  })

  test('a model that never begins is MODEL_DOWN and tried again; one that falls silent is MODEL_CUT and is not', async () => {
    const { clock, calls, model } = world()
    const never: ScriptTurn = { steps: [{ waitMs: 600_000 }, { say: ['late'] }] }
    assert.is((await clock.settle(model([never, say('ok')]).invoke(ask))).text, 'ok')
    const begun = clock.now()
    const silent: ScriptTurn = { steps: [{ say: ['Well, '] }, { waitMs: 600_000 }] }
    assert.is(await clock.settle(codeOf(model([silent, say('no')]).invoke(ask))), 'MODEL_CUT')
    assert.is(clock.now() - begun, 20_000, 'the silence between two pieces, not the wait for the first')
    assert.equal(
      calls.map((call) => call.outcome),
      ['MODEL_DOWN', 'ok', 'MODEL_CUT'],
    )
    assert.is(clock.armed, 0)
  })

  test('a slow but steady stream is not cut, and a slow reader is not the model’s silence', async () => {
    const { clock, model } = world()
    const steady: ScriptTurn = { steps: Array.from({ length: 6 }, () => [{ waitMs: 15_000 }, { say: ['a'] }]).flat() }
    assert.is((await clock.settle(model([steady]).invoke(ask))).text, 'aaaaaa')
    const read = (async () => {
      let text = ''
      for await (const chunk of await model([say('a', 'b', 'c')]).stream(ask)) {
        text += chunk.text
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, 50_000))
      }
      return text
    })()
    assert.is(await clock.settle(read), 'abc')
    assert.is(clock.armed, 0)
  })

  test('an endless answer is stopped at the limit', async () => {
    const { clock, model } = world()
    const endless = say(...Array.from({ length: 50 }, () => 'x'.repeat(100)))
    assert.is(
      await clock.settle(codeOf(model([endless], { limits: { outputMaxChars: 1_000 } }).invoke(ask))),
      'MODEL_REFUSED',
    )
  })

  test('the same seed gives the same pauses', async () => {
    const pause = async (random: () => number): Promise<number> => {
      const clock = new SimClock()
      const script = [fail('MODEL_DOWN'), say('ok')]
      await clock.settle(
        createModel({ provider: 'scripted', model: 'm', tenant: 't' }, { clock, random, script }).invoke(ask),
      )
      return clock.now()
    }
    assert.is(await pause(() => 0.25), await pause(() => 0.25))
    assert.is.not(await pause(() => 0), await pause(() => 0.99))
  })
})

suite('fallback', ({ test }) => {
  test('each model of the chain is tried with its own limits, and what failed is accounted to it', async () => {
    const { clock, calls, model } = world()
    const chain = model(() => fail('MODEL_DOWN'), {
      limits: { attempts: 2 },
      fallbacks: [
        { provider: 'scripted', model: 'second', tenant: 'acme', limits: { attempts: 1 } },
        { provider: 'builtin', tenant: 'acme' },
      ],
    })
    const answer = await clock.settle(chain.invoke(ask))
    assert.is(answer.response_metadata['model_provider'], 'builtin')
    assert.equal(
      calls.map((call) => [call.model, call.attempt, call.outcome]),
      [
        ['told', 1, 'MODEL_DOWN'],
        ['told', 2, 'MODEL_DOWN'],
        ['second', 1, 'MODEL_DOWN'],
        ['builtin/extractive-1', 1, 'ok'],
      ],
    )
  })

  test('a bad key falls back; what the provider refused to answer does not go shopping', async () => {
    const { clock, model } = world()
    const fallbacks = [{ provider: 'builtin', tenant: 'acme' }] as const
    assert.is(
      (await clock.settle(model([fail('MODEL_AUTH')], { fallbacks: [...fallbacks] }).invoke(ask))).response_metadata[
        'model_provider'
      ],
      'builtin',
    )
    assert.is(
      await clock.settle(codeOf(model([fail('MODEL_REFUSED')], { fallbacks: [...fallbacks] }).invoke(ask))),
      'MODEL_REFUSED',
    )
  })
})

suite('circuit breaker', ({ test }) => {
  const once = { limits: { attempts: 1 } } as const

  test('opens after failures in a row, refuses without asking, lets one call probe, and closes on success', async () => {
    const { clock, calls, model } = world()
    let asked = 0
    let down = true
    const flaky = model(() => {
      asked += 1
      return down ? fail('MODEL_DOWN') : say('ok')
    }, once)
    for (let i = 0; i < BREAKER_FAILURES; i += 1) await clock.settle(codeOf(flaky.invoke(ask)))
    assert.is(asked, BREAKER_FAILURES)
    const refused: unknown = await clock.settle(flaky.invoke(ask).catch((error: unknown) => error))
    assert.ok(
      refused instanceof WaggleError &&
        refused.code === 'MODEL_DOWN' &&
        refused.details['retryAfterMs'] === BREAKER_OPEN_MS,
    )
    assert.is(asked, BREAKER_FAILURES)
    assert.is(calls.length, BREAKER_FAILURES)

    await clock.advance(BREAKER_OPEN_MS)
    await clock.settle(codeOf(flaky.invoke(ask)))
    assert.is(asked, BREAKER_FAILURES + 1, 'one probe')
    assert.is(await clock.settle(codeOf(flaky.invoke(ask))), 'MODEL_DOWN')
    assert.is(asked, BREAKER_FAILURES + 1, 'open again')

    await clock.advance(BREAKER_OPEN_MS)
    down = false
    assert.is(await clock.settle(codeOf(flaky.invoke(ask))), 'no error')
    assert.is(await clock.settle(codeOf(flaky.invoke(ask))), 'no error')
  })

  test('is one for each tenant and provider', async () => {
    const { clock, model } = world()
    const dead = model(() => fail('MODEL_DOWN'), once)
    for (let i = 0; i <= BREAKER_FAILURES; i += 1) await clock.settle(codeOf(dead.invoke(ask)))
    assert.is(await clock.settle(codeOf(model(() => say('ok'), { ...once, tenant: 'globex' }).invoke(ask))), 'no error')
    assert.is(await clock.settle(codeOf(model(() => say('ok'), once).invoke(ask))), 'MODEL_DOWN')
  })

  test('busy, refused and cancelled calls do not open it', async () => {
    const { clock, breakers, model } = world()
    for (const code of ['MODEL_BUSY', 'MODEL_REFUSED', 'MODEL_AUTH'] as const) {
      const answering = model(() => fail(code), once)
      for (let i = 0; i < BREAKER_FAILURES * 2; i += 1) await clock.settle(codeOf(answering.invoke(ask)))
    }
    for (let i = 0; i < BREAKER_FAILURES * 2; i += 1)
      await codeOf(model(() => say('ok'), once).invoke(ask, { signal: AbortSignal.abort() }))
    assert.is(breakers.state('acme|scripted|scripted'), 'closed')
  })

  test('a probe whose reader left gives its turn to the next call', async () => {
    const { clock, model } = world()
    let down = true
    const flaky = model(() => (down ? fail('MODEL_DOWN') : say('a', 'b', 'c')), once)
    for (let i = 0; i < BREAKER_FAILURES; i += 1) await clock.settle(codeOf(flaky.invoke(ask)))
    await clock.advance(BREAKER_OPEN_MS)
    down = false
    for await (const chunk of await flaky.stream(ask)) if (chunk.text !== '') break
    assert.is(await clock.settle(codeOf(flaky.invoke(ask))), 'no error')
  })

  test('an open breaker falls back at once', async () => {
    const { clock, calls, model } = world()
    const chain = model(() => fail('MODEL_DOWN'), { ...once, fallbacks: [{ provider: 'builtin', tenant: 'acme' }] })
    for (let i = 0; i < BREAKER_FAILURES + 3; i += 1) await clock.settle(chain.invoke(ask))
    assert.is(calls.filter((call) => call.provider === 'scripted').length, BREAKER_FAILURES)
    assert.is(calls.filter((call) => call.provider === 'builtin').length, BREAKER_FAILURES + 3)
  })

  test('holds no more breakers than its bound', () => {
    const clock = new SimClock()
    const board = new BreakerBoard(clock)
    for (let i = 0; i < 10_050; i += 1) board.failed(`tenant-${i}`)
    for (let i = 0; i < BREAKER_FAILURES - 1; i += 1) board.failed('tenant-0')
    // forgotten: four failures and not five
    assert.is(board.state('tenant-0'), 'closed')
  })
})

suite('accounting', ({ test }) => {
  test('counts what a failed call had said, and nothing for one that never answered', async () => {
    const { clock, calls, model } = world()
    await clock.settle(codeOf(model([fail('MODEL_AUTH')]).invoke(ask)))
    await clock.settle(
      codeOf(model([{ steps: [{ say: ['Once upon a time '] }, { fail: new WaggleError('MODEL_CUT') }] }]).invoke(ask)),
    )
    assert.equal(
      calls.map((call) => call.usage.outputTokens),
      [0, 4],
    )
    assert.equal(
      calls.map((call) => call.estimated),
      [true, true],
    )
  })

  test('a price that is not known is null and not free', async () => {
    const clock = new SimClock()
    const { response_metadata } = await clock.settle(
      createModel(
        { provider: 'scripted', model: 'm', tenant: 't' },
        { clock, script: [say('ok')], prices: { 'openai/*': { inputPerMillion: 1, outputPerMillion: 1 } } },
      ).invoke(ask),
    )
    assert.is(response_metadata['cost_micros'], 0)
    const { costMicros } = await import('#shared/models/price.ts')
    const usage = { inputTokens: 3, outputTokens: 1, cachedTokens: 0 }
    assert.is(costMicros({}, 'groq', 'llama', usage), null)
    assert.is(
      costMicros({ 'groq/llama': { inputPerMillion: 0.05, outputPerMillion: 0.08 } }, 'groq', 'llama', usage),
      1,
      'rounded up',
    )
  })

  test('tool calls come complete in one chunk that LangChain can join', async () => {
    const { clock, model } = world()
    const turn: ScriptTurn = {
      steps: [
        { say: ['Let me look. '] },
        {
          call: [
            { name: 'a', args: { x: 1 } },
            { name: 'b', args: {} },
          ],
        },
      ],
    }
    const read = (async () => {
      let whole: AIMessageChunk | undefined
      for await (const chunk of await model([turn]).stream(ask))
        whole = whole === undefined ? chunk : whole.concat(chunk)
      return whole
    })()
    const whole = await clock.settle(read)
    assert.equal(
      whole?.tool_calls?.map((call) => [call.name, call.args]),
      [
        ['a', { x: 1 }],
        ['b', {}],
      ],
    )
    assert.is(whole?.text, 'Let me look. ')
  })

  test('a script that has run out says so', async () => {
    const { clock, model } = world()
    const short = model([say('one')], { limits: { attempts: 1 } })
    await clock.settle(short.invoke(ask))
    assert.is(await clock.settle(codeOf(short.invoke(ask))), 'MODEL_DOWN')
  })
})

suite('model spec', ({ test }) => {
  test('is refused by field when it is wrong', () => {
    const bad: ModelSpec[] = [
      { provider: 'openai', model: '', tenant: 'acme' },
      { provider: 'openai', model: 'm', tenant: 'acme', baseUrl: 'ftp://x' },
      { provider: 'openai', model: 'm', tenant: 'acme', temperature: 9 },
      { provider: 'builtin', tenant: 'acme', limits: { patience: 3 } as never },
    ]
    for (const spec of bad)
      assert.throws(
        () => createModel(spec),
        (error: unknown) => error instanceof WaggleError && error.code === 'BAD_INPUT',
      )
  })

  test('a scripted model without a script is a mistake of configuration', () => {
    assert.throws(
      () => createModel({ provider: 'scripted', model: 'm', tenant: 't' }),
      (error: unknown) => error instanceof WaggleError && error.code === 'CONFIG',
    )
  })

  test('what is traced of a model holds no key', () => {
    const model = createModel({ provider: 'openai', model: 'm', tenant: 't', apiKey: 'sk-secret-123456' })
    assert.not.match(JSON.stringify(model.toJSON()), 'sk-secret')
    assert.not.match(JSON.stringify(model), 'sk-secret')
  })
})
