import { systemClock } from '#shared/lib/clock.ts'
import type { Cancel, Clock } from '#shared/lib/clock.ts'

/**
 * The text of one answer on its way to the customer. Deltas carry (message id, offset in UTF-16 code units): folding one
 * twice or late changes nothing. The first is said at once, later ones every FLUSH_MS, coalesced here, before the log.
 *
 * Owned by one attempt of one run. `#released` is what may be heard, `#told` how much of it has been emitted; a gate in
 * front decides what is released (I10): whole checked sentences in `gated` mode, text past the in-line patterns in
 * `streamed` mode.
 */
export interface VoiceGate {
  /** Takes a piece of the model's text, returns what may be released now. */
  push(piece: string): Promise<string> | string
  /** The text is complete: what was held back and may be released. */
  end(): Promise<string> | string
  /** Why nothing more is released, in words for the customer; null while it is open. */
  readonly blocked: string | null
  /** What the in-line guards made of the text. */
  checks(): readonly {
    readonly guardrail: string
    readonly verdict: 'pass' | 'rewrite' | 'block'
    readonly reason: string
  }[]
}

export class Voice {
  readonly #open: () => VoiceGate
  readonly #emit: (offset: number, text: string) => void
  readonly #clock: Clock
  #gate: VoiceGate
  #released = ''
  #told = 0
  #timer: Cancel | null = null
  #retracted: string | null = null

  /** @param spokeBefore an earlier attempt may have been heard: what it said is cut at the first word of this one */
  constructor(
    openGate: () => VoiceGate,
    emit: (offset: number, text: string) => void,
    spokeBefore: boolean,
    clock: Clock = systemClock,
  ) {
    this.#open = openGate
    this.#emit = emit
    this.#clock = clock
    this.#gate = openGate()
    if (spokeBefore) emit(0, '')
  }

  /** What was released so far. */
  get text(): string {
    return this.#released
  }
  get blocked(): string | null {
    return this.#retracted ?? this.#gate.blocked
  }

  get checks(): ReturnType<VoiceGate['checks']> {
    return this.#gate.checks()
  }

  /** What was said is withdrawn for this reason. */
  retract(reason: string): void {
    this.#retracted = reason
    this.restart()
  }

  async say(piece: string): Promise<void> {
    this.#release(await this.#gate.push(piece))
  }

  /** Withdraws what was said of this answer. */
  restart(): void {
    this.#quiet()
    this.#gate = this.#open()
    this.#released = ''
    if (this.#told > 0) this.#emit(0, '')
    this.#told = 0
  }

  /** Resolves when everything that may be said has been emitted; false when the gate refused. */
  async finish(): Promise<boolean> {
    this.#release(await this.#gate.end())
    this.#flush()
    return this.#gate.blocked === null
  }

  /** Emits the whole text again: for a delta that the broker did not take. */
  repeat(): void {
    this.#emit(0, this.#released)
  }

  /** Stops speaking; gives the timer back. */
  close(): void {
    this.#quiet()
  }

  #release(text: string): void {
    if (text === '') return
    this.#released += text
    if (this.#told === 0) this.#flush()
    else this.#timer ??= this.#clock.setTimeout(() => this.#flush(), FLUSH_MS)
  }

  #flush(): void {
    this.#quiet()
    if (this.#told === this.#released.length) return
    const offset = this.#told
    this.#told = this.#released.length
    this.#emit(offset, this.#released.slice(offset))
  }

  #quiet(): void {
    this.#timer?.()
    this.#timer = null
  }
}

/** Later deltas are coalesced for this long. */
export const FLUSH_MS = 25
