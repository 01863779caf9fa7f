import { WaggleError } from '#shared/errors/waggle-error.ts'
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
  /** What the model said, before the gate. */
  #heard = ''
  #released = ''
  /** The first half of a surrogate pair, until its second half comes: no delta ends between the two. */
  #half = ''
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

  /** What the model said since the last restart, whether it was released or not. */
  get heard(): string {
    return this.#heard
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

  /** Says this instead of what was said. */
  replace(text: string): void {
    this.restart()
    this.#release(text, true)
    this.#flush()
  }

  async say(piece: string): Promise<void> {
    this.#heard += piece
    if (this.#heard.length > ANSWER_MAX_CHARS) throw new WaggleError('TOO_LARGE', { limit: ANSWER_MAX_CHARS })
    this.#release(await this.#gate.push(piece))
  }

  /** Withdraws what was said of this answer. */
  restart(): void {
    this.#quiet()
    this.#gate = this.#open()
    this.#heard = ''
    this.#released = ''
    this.#half = ''
    if (this.#told > 0) this.#emit(0, '')
    this.#told = 0
  }

  /** Resolves when everything that may be said has been emitted; false when the gate refused. */
  async finish(): Promise<boolean> {
    this.#release(await this.#gate.end(), true)
    this.#flush()
    return this.#gate.blocked === null
  }

  /** Emits the whole text again: for a delta that the broker did not take. */
  repeat(): void {
    if (this.#told > 0) this.#emit(0, this.#released)
  }

  /** Stops speaking: says what was released and waits for its flush, and gives the timer back. */
  close(): void {
    this.#flush()
  }

  #release(piece: string, complete = false): void {
    const all = this.#half + piece
    const end = !complete && isHighSurrogate(all.charCodeAt(all.length - 1)) ? all.length - 1 : all.length
    this.#half = all.slice(end)
    // Half a pair that stays alone is no text: neither the wire nor the database could hold it.
    const text = all.slice(0, end).toWellFormed()
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

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

/** Longest answer in UTF-16 code units: as text and as data it must fit into one event of the log. */
export const ANSWER_MAX_CHARS = 100_000

/** Later deltas are coalesced for this long. */
export const FLUSH_MS = 25
