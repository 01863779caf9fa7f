import { delay } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { ModelDriver, ModelPiece, ModelRequest } from '../driver.ts'
import type { Script } from './script.ts'

/** Says what it was told, at next to no cost: benchmarks measure everything but the model with it. */
export class ScriptedDriver implements ModelDriver {
  readonly provider = 'scripted'
  readonly model: string
  readonly #script: Script
  readonly #clock: Clock
  #calls = 0

  constructor(model: string, script: Script, clock: Clock) {
    this.model = model
    this.#script = script
    this.#clock = clock
  }

  async *stream(request: ModelRequest): AsyncGenerator<ModelPiece> {
    const at = this.#calls
    this.#calls += 1
    const turn = typeof this.#script === 'function' ? this.#script(request.messages, at) : this.#script[at]
    if (turn === undefined) throw new WaggleError('MODEL_DOWN', { reason: `The script has no turn ${at + 1}.` })
    let called = false
    let said = 0
    for (const step of turn.steps) {
      if (request.signal.aborted) throw new WaggleError('CANCELLED')
      if ('say' in step) {
        for (const text of step.say) {
          said += 1
          yield { kind: 'text', text }
          if (request.signal.aborted) throw new WaggleError('CANCELLED')
        }
      } else if ('call' in step) {
        called = true
        yield {
          kind: 'calls',
          calls: step.call.map((call, i) => ({ ...call, id: call.id ?? `call_${at + 1}_${i + 1}` })),
        }
      } else if ('fail' in step) throw step.fail
      else await delay(this.#clock, step.waitMs, request.signal)
    }
    const usage = turn.usage ?? { inputTokens: request.messages.length, outputTokens: said, cachedTokens: 0 }
    yield { kind: 'end', finish: called ? 'tool_calls' : 'stop', usage, metadata: {} }
  }
}
