import { AIMessageChunk, HumanMessage } from '@langchain/core/messages'
import type { UsageMetadata } from '@langchain/core/messages'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import type { ChatModel, ModelCall, ModelDeps } from '#shared/models/port.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { ORDER_TOOL, QUESTION, answerable } from './models-conversation.ts'

/**
 * What every chat model of the product does, whatever answers behind it. An adapter says how to bring a model into each
 * situation; one that cannot get into a situation leaves it out, and the suite says which were left out.
 */
export interface ModelSituation {
  readonly model: ChatModel
  /** For situations that go on by themselves (a time limit): runs what has to happen. */
  readonly proceed?: () => Promise<void>
}

export interface ModelAdapter {
  readonly name: string
  /** Answers the question `answerable` with these pieces of text, or any pieces when null. */
  text(deps: ModelDeps): Promise<ModelSituation & { readonly says: string }>
  /** Calls `lookup_order_status` with `{ order_id: '1042' }`. */
  calls(deps: ModelDeps): Promise<ModelSituation>
  /** Fails with this code, each time it is asked, before any text; null when it cannot. */
  fails(code: ErrorCode, deps: ModelDeps): Promise<ModelSituation | null>
  /** Says something, then never goes on; null when it cannot. */
  hangs(deps: ModelDeps): Promise<ModelSituation | null>
  readonly before?: () => Promise<void>
  readonly after?: () => Promise<void>
}

const FAILURES: readonly ErrorCode[] = [
  'MODEL_AUTH',
  'MODEL_BUSY',
  'MODEL_DOWN',
  'MODEL_MALFORMED',
  'MODEL_REFUSED',
  'MODEL_CUT',
]

export function modelContract(adapter: ModelAdapter): void {
  suite(`model port on ${adapter.name}`, ({ test, before, after }) => {
    before(async () => adapter.before?.())
    after(async () => adapter.after?.())

    test('answers with text, usage, provider and finish reason', async () => {
      const { model, says } = await adapter.text({})
      const answer = await model.bindTools([ORDER_TOOL]).invoke(answerable())
      assert.ok(AIMessageChunk.isInstance(answer))
      assert.is(answer.text, says)
      assert.is(answer.tool_calls?.length ?? 0, 0)
      assert.is(answer.response_metadata['finish_reason'], 'stop')
      const usage = answer.usage_metadata as UsageMetadata | undefined
      assert.ok((usage?.input_tokens ?? 0) > 0)
      assert.ok((usage?.output_tokens ?? 0) > 0)
      assert.type(answer.response_metadata['model_provider'], 'string')
      assert.type(answer.response_metadata['model_name'], 'string')
    })

    test('streams: more than one piece, each handed to handleLLMNewToken, together the answer', async () => {
      const { model, says } = await adapter.text({})
      const told: string[] = []
      const seen: string[] = []
      const stream = await model
        .bindTools([ORDER_TOOL])
        .stream(answerable(), { callbacks: [{ handleLLMNewToken: (token: string) => void told.push(token) }] })
      for await (const chunk of stream) if (chunk.text !== '') seen.push(chunk.text)
      assert.ok(seen.length > 1, `${seen.length} pieces`)
      assert.is(seen.join(''), says)
      assert.is(told.join(''), says)
    })

    test('reports usage once in a stream', async () => {
      const { model } = await adapter.text({})
      let usages = 0
      for await (const chunk of await model.bindTools([ORDER_TOOL]).stream(answerable()))
        if (chunk.usage_metadata !== undefined) usages += 1
      assert.is(usages, 1)
    })

    test('calls a tool with parsed arguments and an id', async () => {
      const { model } = await adapter.calls({})
      const answer = await model.bindTools([ORDER_TOOL]).invoke([new HumanMessage(QUESTION)])
      assert.equal(
        answer.tool_calls?.map(({ name, args }) => ({ name, args })),
        [{ name: 'lookup_order_status', args: { order_id: '1042' } }],
      )
      assert.ok((answer.tool_calls?.[0]?.id ?? '') !== '')
      assert.is(answer.response_metadata['finish_reason'], 'tool_calls')
    })

    test('gives the same tool call through a stream', async () => {
      const { model } = await adapter.calls({})
      let whole: AIMessageChunk | undefined
      for await (const chunk of await model.bindTools([ORDER_TOOL]).stream([new HumanMessage(QUESTION)]))
        whole = whole === undefined ? chunk : whole.concat(chunk)
      assert.equal(
        whole?.tool_calls?.map(({ name, args }) => ({ name, args })),
        [{ name: 'lookup_order_status', args: { order_id: '1042' } }],
      )
    })

    test('accounts every call once, with tokens and cost', async () => {
      const accounted: ModelCall[] = []
      const prices = {
        'openai/*': { inputPerMillion: 2, outputPerMillion: 8 },
        'scripted/*': { inputPerMillion: 2, outputPerMillion: 8 },
        'builtin/*': { inputPerMillion: 2, outputPerMillion: 8 },
      }
      const { model } = await adapter.text({ account: (call) => void accounted.push(call), prices })
      await model.bindTools([ORDER_TOOL]).invoke(answerable())
      assert.is(accounted.length, 1)
      const call = accounted[0]
      assert.is(call?.outcome, 'ok')
      assert.is(call?.tenant, 'acme')
      assert.ok((call?.usage.inputTokens ?? 0) > 0)
      assert.ok((call?.costMicros ?? 0) > 0)
    })

    test('an already aborted signal is CANCELLED and asks nobody', async () => {
      const accounted: ModelCall[] = []
      const { model } = await adapter.text({ account: (call) => void accounted.push(call) })
      await rejects('CANCELLED', model.invoke(answerable(), { signal: AbortSignal.abort() }))
      assert.ok(accounted.every((call) => call.outcome === 'CANCELLED'))
    })

    test('stopping in the middle of an answer is CANCELLED, and what was said is accounted', async () => {
      const accounted: ModelCall[] = []
      const { model } = await adapter.text({ account: (call) => void accounted.push(call) })
      const stop = new AbortController()
      const read = (async () => {
        for await (const chunk of await model.bindTools([ORDER_TOOL]).stream(answerable(), { signal: stop.signal }))
          if (chunk.text !== '') stop.abort()
      })()
      await rejects('CANCELLED', read)
      assert.is(accounted.length, 1)
      assert.is(accounted[0]?.outcome, 'CANCELLED')
      assert.ok((accounted[0]?.usage.outputTokens ?? 0) > 0)
    })

    test('a reader that leaves early ends the call', async () => {
      const accounted: ModelCall[] = []
      const { model } = await adapter.text({ account: (call) => void accounted.push(call) })
      for await (const chunk of await model.bindTools([ORDER_TOOL]).stream(answerable())) if (chunk.text !== '') break
      assert.equal(
        accounted.map((call) => call.outcome),
        ['CANCELLED'],
      )
    })

    for (const code of FAILURES) {
      test(`every failure has its code: ${code}`, async () => {
        const accounted: ModelCall[] = []
        const situation = await adapter.fails(code, { account: (call) => void accounted.push(call), random: () => 0.5 })
        if (situation === null) return
        const asked = rejects(code, situation.model.invoke([new HumanMessage(QUESTION)]))
        await situation.proceed?.()
        await asked
        assert.ok(accounted.length >= 1)
        assert.ok(accounted.every((call) => call.outcome === code))
      })
    }

    test('a stream that falls silent in the middle is cut, and is not asked again', async () => {
      const accounted: ModelCall[] = []
      const situation = await adapter.hangs({ account: (call) => void accounted.push(call) })
      if (situation === null) return
      const asked = rejects('MODEL_CUT', situation.model.invoke([new HumanMessage(QUESTION)]))
      await situation.proceed?.()
      await asked
      assert.is(accounted.length, 1)
    })

    test('counts tokens without asking anybody', async () => {
      const { model } = await adapter.text({})
      assert.is(await model.getNumTokens('Where is my order?'), 5)
    })
  })
}

export async function rejects(code: ErrorCode, promise: Promise<unknown>): Promise<WaggleError> {
  try {
    await promise
  } catch (thrown) {
    if (!(thrown instanceof WaggleError)) throw thrown
    assert.is(thrown.code, code, `${thrown.code}: ${JSON.stringify(thrown.details)}`)
    return thrown
  }
  throw new Error(`expected ${code}, but it succeeded`)
}
