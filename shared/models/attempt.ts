import type { Cancel } from '#shared/lib/clock.ts'
import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

import { countTokens } from '#shared/text/tokens.ts'
import { countPrompt } from './count-tokens.ts'
import type { ModelPiece, ModelRequest, TokenUsage } from './driver.ts'
import type { ChainDeps, ChainLink, ChainPiece, ModelCall } from './model-chain.ts'
import { costMicros } from './price.ts'

/**
 * One try at one model. It owns the signal its driver sees and one watchdog timer, and gives both back in `close`.
 * The timer is armed once and re-armed only when it fires: a stream of thousands of tokens costs a handful of timers.
 *
 * waiting   a piece was asked for at `#waitingSince`; the watchdog or an abort may interrupt
 * reading   the reader has the piece; time it takes is not the provider's
 * ended     the last piece was given, or it failed; accounted once
 */
export class Attempt {
  /** Something was handed out that a person may have read. */
  released = false
  readonly #link: ChainLink
  readonly #request: ModelRequest
  readonly #deps: ChainDeps
  readonly #attempt: number
  readonly #begun: number
  readonly #stop = new AbortController()
  #firstPieceMs: number | null = null
  #text = ''
  #accounted = false
  #waitingSince: number | null = null
  #interrupt: ((error: WaggleError) => void) | null = null
  #cancelTimer: Cancel = () => undefined

  constructor(link: ChainLink, request: ModelRequest, deps: ChainDeps, attempt: number) {
    this.#link = link
    this.#request = request
    this.#deps = deps
    this.#attempt = attempt
    this.#begun = deps.clock.elapsed()
  }

  async *pieces(): AsyncGenerator<ChainPiece> {
    const { signal } = this.#request
    if (signal.aborted) throw cancelled()
    signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#watch(this.#link.limits.firstPieceMs)
    const source = this.#link.driver.stream({ ...this.#request, signal: this.#stop.signal })[Symbol.asyncIterator]()
    let ended = false
    try {
      while (!ended) {
        const next = await this.#next(source)
        if (next.done === true) throw new WaggleError('MODEL_CUT', { reason: 'The stream ended without an end.' })
        if (this.#firstPieceMs === null) this.#begin()
        const piece = next.value
        if (piece.kind === 'end') {
          ended = true
          yield { ...piece, call: this.#account('ok', piece.usage) }
        } else if (piece.kind === 'calls' || piece.text !== '') {
          if (piece.kind === 'text') this.#grow(piece.text)
          this.released = true
          yield piece
        }
      }
    } finally {
      // Reached early when the reader left or something failed: the driver must let go of its connection.
      if (!ended) this.#stop.abort(cancelled())
      void Promise.resolve(source.return?.()).catch(() => undefined)
    }
  }

  /** The coded failure of this try, which is accounted with it. */
  fail(thrown: unknown): WaggleError {
    const failure = this.#request.signal.aborted ? cancelled() : coded(thrown, 'MODEL_DOWN')
    if (!this.#accounted) this.#account(failure.code, null)
    return failure
  }

  close(): void {
    this.#cancelTimer()
    this.#request.signal.removeEventListener('abort', this.#onAbort)
    if (!this.#accounted) this.#account('CANCELLED', null)
  }

  readonly #onAbort = (): void => this.#break(cancelled())

  #break(error: WaggleError): void {
    this.#stop.abort(error)
    this.#interrupt?.(error)
  }

  #next(source: AsyncIterator<ModelPiece>): Promise<IteratorResult<ModelPiece>> {
    this.#waitingSince = this.#deps.clock.elapsed()
    return new Promise<IteratorResult<ModelPiece>>((resolve, reject) => {
      const settle = (): void => {
        this.#waitingSince = null
        this.#interrupt = null
      }
      const take = (next: IteratorResult<ModelPiece>): void => {
        settle()
        resolve(next)
      }
      const fail = (error: unknown): void => {
        settle()
        reject(error instanceof Error ? error : coded(error, 'MODEL_DOWN'))
      }
      this.#interrupt = fail
      source.next().then(take, fail)
    })
  }

  #begin(): void {
    this.#firstPieceMs = this.#deps.clock.elapsed() - this.#begun
    this.#cancelTimer()
    this.#watch(this.#link.limits.pieceMs)
  }

  #watch(ms: number): void {
    this.#cancelTimer = this.#deps.clock.setTimeout(() => {
      const { firstPieceMs, pieceMs } = this.#link.limits
      const started = this.#firstPieceMs !== null
      const limitMs = started ? pieceMs : firstPieceMs
      const waited = this.#waitingSince === null ? 0 : this.#deps.clock.elapsed() - this.#waitingSince
      if (waited < limitMs) return this.#watch(limitMs - waited)
      const reason = started ? 'The stream fell silent.' : 'There was no first token in time.'
      this.#break(new WaggleError(started ? 'MODEL_CUT' : 'MODEL_DOWN', { reason, limitMs }))
    }, ms)
  }

  #grow(text: string): void {
    this.#text += text
    if (this.#text.length > this.#link.limits.outputMaxChars) {
      throw new WaggleError('MODEL_REFUSED', { reason: 'The answer is longer than outputMaxChars.' })
    }
  }

  #account(outcome: 'ok' | ErrorCode, reported: TokenUsage | null): ModelCall {
    this.#accounted = true
    const { driver, tenant } = this.#link
    const usage = reported ?? this.#estimate(outcome)
    const call: ModelCall = {
      tenant,
      provider: driver.provider,
      model: driver.model,
      attempt: this.#attempt,
      outcome,
      usage,
      estimated: reported === null,
      costMicros: costMicros(this.#deps.prices, driver.provider, driver.model, usage),
      firstPieceMs: this.#firstPieceMs,
      ms: this.#deps.clock.elapsed() - this.#begun,
    }
    this.#deps.account(call)
    return call
  }

  /** A try that never got an answer is billed by nobody; one that was cut is, for what it had said. */
  #estimate(outcome: 'ok' | ErrorCode): TokenUsage {
    if (outcome !== 'ok' && this.#firstPieceMs === null) return { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
    const inputTokens = countPrompt(this.#request.messages, this.#request.tools)
    return { inputTokens, outputTokens: countTokens(this.#text), cachedTokens: 0 }
  }
}

function cancelled(): WaggleError {
  return new WaggleError('CANCELLED', { step: 'asking the model' })
}
