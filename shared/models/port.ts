import './tracing-off.ts'

import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { BreakerBoard } from './breaker.ts'
import { BuiltinDriver } from './builtin/builtin-driver.ts'
import { ChatModel } from './chat-model.ts'
import type { ModelDriver } from './driver.ts'
import type { ChainLink, ModelCall } from './model-chain.ts'
import { OpenAiDriver, baseUrlOf } from './openai/openai-driver.ts'
import type { PriceTable } from './price.ts'
import { ScriptedDriver } from './scripted/scripted-driver.ts'
import type { Script } from './scripted/script.ts'
import { MODEL_LIMITS, modelSpecSchema } from './spec.ts'
import type { ModelLimits, ModelSpec, ParsedModelSpec } from './spec.ts'

export { BreakerBoard } from './breaker.ts'
export type { ChatModel } from './chat-model.ts'
export type { ModelCall } from './model-chain.ts'
export type { ModelPrice, PriceTable } from './price.ts'
export type { ModelSpec } from './spec.ts'
export { modelSpecSchema } from './spec.ts'

/** What a model shares with the others of its process. All of it has a default. */
export interface ModelDeps {
  readonly clock?: Clock
  readonly random?: () => number
  /** One board for a whole process: breakers are kept by tenant and provider. */
  readonly breakers?: BreakerBoard
  readonly prices?: PriceTable
  /** Called once for every try, also for failed ones. */
  readonly account?: (call: ModelCall) => void
  /** The fetch to reach providers with; where tenants choose base URLs, one that refuses private addresses. */
  readonly fetch?: typeof fetch
  /** What a model of provider `scripted` says. */
  readonly script?: Script
}

/** A chat model for this spec. Nothing is contacted before it is asked something. Throws BAD_INPUT for a bad spec. */
export function createModel(spec: ModelSpec, deps: ModelDeps = {}): ChatModel {
  const parsed = modelSpecSchema.safeParse(spec)
  if (!parsed.success) {
    throw new WaggleError('BAD_INPUT', {
      fields: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    })
  }
  const clock = deps.clock ?? systemClock
  const { fallbacks = [], ...first } = parsed.data
  return new ChatModel(
    [first, ...fallbacks].map((one) => linkOf(one, deps, clock)),
    {
      clock,
      random: deps.random ?? Math.random,
      breakers: deps.breakers ?? new BreakerBoard(clock),
      prices: deps.prices ?? {},
      account: deps.account ?? (() => undefined),
    },
  )
}

function linkOf(spec: ParsedModelSpec, deps: ModelDeps, clock: Clock): ChainLink {
  const limits = { ...MODEL_LIMITS, ...(spec.limits as Partial<ModelLimits> | undefined) }
  return { driver: driverOf(spec, deps, clock), tenant: spec.tenant, address: baseUrlOf(spec) ?? spec.provider, limits }
}

function driverOf(spec: ParsedModelSpec, deps: ModelDeps, clock: Clock): ModelDriver {
  switch (spec.provider) {
    case 'builtin':
      return new BuiltinDriver({ model: spec.model, clock, timeZone: spec.timeZone ?? 'UTC', paceMs: spec.paceMs ?? 0 })
    case 'scripted':
      if (deps.script === undefined) throw new WaggleError('CONFIG', { reason: 'A scripted model needs a script.' })
      return new ScriptedDriver(spec.model, deps.script, clock)
    case 'openai':
    case 'groq':
    case 'openrouter':
    case 'ollama':
    case 'vllm':
      return new OpenAiDriver(spec, { ...(deps.fetch !== undefined && { fetch: deps.fetch }), now: () => clock.now() })
  }
}
