import { delay } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { countTokens } from '#shared/text/tokens.ts'
import { countPrompt } from '../count-tokens.ts'
import type { ModelDriver, ModelPiece, ModelRequest } from '../driver.ts'
import { decide } from './decide.ts'
import { localToday } from './facts/date.ts'

export interface BuiltinOptions {
  readonly model: string
  readonly clock: Clock
  readonly timeZone: string
  /** Pause between two pieces; 0 for none. */
  readonly paceMs: number
}

/** After so many pieces without a pause others get their turn, so that a stop is heard in the middle of an answer. */
const PIECES_PER_TURN = 8
const PIECE = /\s*\S{1,6}/gu

/**
 * The model that needs no key and no weights: deterministic, and honest about what it is (`extractive: true` in every
 * answer's metadata). What it does is decided in decide.ts; here it is spoken, in pieces, like any other model's answer.
 */
export class BuiltinDriver implements ModelDriver {
  readonly provider = 'builtin'
  readonly model: string
  readonly #clock: Clock
  readonly #timeZone: string
  readonly #paceMs: number

  constructor(options: BuiltinOptions) {
    this.model = `builtin/${options.model.replace(/^builtin\//, '')}`
    this.#clock = options.clock
    this.#timeZone = options.timeZone
    this.#paceMs = options.paceMs
  }

  async *stream(request: ModelRequest): AsyncGenerator<ModelPiece> {
    const decision = decide(request, localToday(this.#clock.now(), this.#timeZone))
    const inputTokens = countPrompt(request.messages, request.tools)
    if (decision.kind === 'call') {
      const calls = decision.calls.map((call, i) => ({ ...call, id: callId(request, i) }))
      yield { kind: 'calls', calls }
      const outputTokens = countTokens(JSON.stringify(decision.calls))
      yield {
        kind: 'end',
        finish: 'tool_calls',
        usage: { inputTokens, outputTokens, cachedTokens: 0 },
        metadata: { extractive: true, basis: 'tool-call' },
      }
      return
    }
    const text = cutAt(decision.text, request.stop)
    let spoken = 0
    for (const [piece] of text.matchAll(PIECE)) {
      yield { kind: 'text', text: piece }
      spoken += 1
      if (this.#paceMs > 0) await delay(this.#clock, this.#paceMs, request.signal)
      else if (spoken % PIECES_PER_TURN === 0) await new Promise<void>((resolve) => void this.#clock.immediate(resolve))
      if (request.signal.aborted) throw new WaggleError('CANCELLED', { step: 'speaking' })
    }
    const usage = { inputTokens, outputTokens: countTokens(text), cachedTokens: 0 }
    yield {
      kind: 'end',
      finish: 'stop',
      usage,
      metadata: {
        extractive: true,
        basis: decision.basis,
        citations: decision.marks,
        ...(decision.asks !== undefined && { asks: decision.asks }),
      },
    }
  }
}

/** The same conversation gives the same id, and another turn of it another. */
function callId(request: ModelRequest, index: number): string {
  return `call_${request.messages.length}_${index + 1}`
}

function cutAt(text: string, stops: readonly string[]): string {
  const places = stops.map((stop) => (stop === '' ? -1 : text.indexOf(stop))).filter((place) => place >= 0)
  return places.length === 0 ? text : text.slice(0, Math.min(...places))
}
