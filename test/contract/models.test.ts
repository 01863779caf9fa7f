import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import { createModel } from '#shared/models/port.ts'
import type { ModelDeps } from '#shared/models/port.ts'
import type { Script } from '#shared/models/scripted/script.ts'

import { modelContract } from './models.contract.ts'
import type { ModelAdapter, ModelSituation } from './models.contract.ts'
import { WireServer } from './models-wire-server.ts'
import type { WireReply } from './models-wire-server.ts'

modelContract({
  name: 'builtin',
  text: async (deps) => ({
    model: createModel({ provider: 'builtin', tenant: 'acme' }, deps),
    says: 'Order 1042 is shipped.',
  }),
  calls: async (deps) => ({ model: createModel({ provider: 'builtin', tenant: 'acme' }, deps) }),
  // It has nothing that could fail.
  fails: async () => null,
  hangs: async () => null,
})

const scripted = (script: Script, deps: ModelDeps): ModelSituation => ({
  model: createModel({ provider: 'scripted', tenant: 'acme', model: 'told' }, { ...deps, script }),
})

modelContract({
  name: 'scripted',
  text: async (deps) => ({
    ...scripted([{ steps: [{ say: ['Order ', '1042 ', 'is shipped.'] }] }], deps),
    says: 'Order 1042 is shipped.',
  }),
  calls: async (deps) =>
    scripted([{ steps: [{ call: [{ name: 'lookup_order_status', args: { order_id: '1042' } }] }] }], deps),
  fails: async (code, deps) => {
    const clock = new SimClock()
    const situation = scripted(() => ({ steps: [{ fail: new WaggleError(code) }] }), { ...deps, clock })
    return { ...situation, proceed: () => clock.advance(60_000) }
  },
  hangs: async (deps) => {
    const clock = new SimClock()
    const situation = scripted([{ steps: [{ say: ['Order '] }, { waitMs: 10_000_000 }] }], { ...deps, clock })
    return { ...situation, proceed: () => clock.advance(60_000) }
  },
})

modelContract(overTheWire())

/** Limits are short enough that real time will do. */
function overTheWire(): ModelAdapter {
  const server = new WireServer()
  let baseUrl = ''
  const arrange = async (replies: readonly WireReply[], deps: ModelDeps): Promise<ModelSituation> => {
    server.reply(...replies)
    const limits = { backoffFirstMs: 1, backoffMaxMs: 2, firstPieceMs: 5_000, pieceMs: 60 }
    return {
      model: createModel(
        { provider: 'openai', model: 'gpt-4o-mini', tenant: 'acme', baseUrl, apiKey: 'sk-test-0123456789', limits },
        deps,
      ),
    }
  }
  const FAILING: Readonly<Partial<Record<ErrorCode, WireReply>>> = {
    MODEL_AUTH: {
      kind: 'status',
      status: 401,
      body: {
        error: {
          message: 'Incorrect API key provided: sk-test-0123456789',
          type: 'invalid_request_error',
          code: 'invalid_api_key',
        },
      },
    },
    MODEL_BUSY: {
      kind: 'status',
      status: 429,
      headers: { 'retry-after-ms': '1' },
      body: { error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded' } },
    },
    MODEL_DOWN: { kind: 'status', status: 503 },
    MODEL_MALFORMED: { kind: 'raw', lines: ['{"choices":[{"delta":'] },
    MODEL_REFUSED: {
      kind: 'status',
      status: 400,
      body: {
        error: { message: 'maximum context length', type: 'invalid_request_error', code: 'context_length_exceeded' },
      },
    },
    MODEL_CUT: { kind: 'cut', pieces: [''] },
  }
  return {
    name: 'openai, over the wire',
    text: async (deps) => ({
      ...(await arrange([{ kind: 'text', pieces: ['Order ', '1042 ', 'is shipped.'] }], deps)),
      says: 'Order 1042 is shipped.',
    }),
    calls: (deps) =>
      arrange(
        [{ kind: 'calls', calls: [{ id: 'call_1', name: 'lookup_order_status', arguments: '{"order_id":"1042"}' }] }],
        deps,
      ),
    fails: async (code, deps) => {
      const reply = FAILING[code]
      return reply === undefined ? null : arrange([reply, reply, reply, reply], deps)
    },
    hangs: (deps) => arrange([{ kind: 'hang', pieces: ['Order '] }], deps),
    before: async () => {
      baseUrl = await server.start()
    },
    after: async () => {
      await server.stop()
      if (server.violations.length > 0) throw new Error(`off the published shape: ${server.violations.join(' | ')}`)
    },
  }
}
