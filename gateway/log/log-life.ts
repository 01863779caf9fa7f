import { EVENTS } from '#shared/actor/streams.ts'
import { PLATFORM } from '#shared/actor/core.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { StreamInfo, Transport } from '#shared/transport/port.ts'
import { formatCursor } from '#shared/wire/cursor.ts'
import type { Keeper } from './floors-book.ts'

/**
 * Which log this is, as far as this process knows: its incarnation, when its stream was made, and the highest sequence
 * seen of it. A stream made anew, or one that is shorter than what was seen of it, has lost its tail: sequences will
 * mean other entries, so everybody has to begin anew.
 */
export class LogLife {
  readonly #transport: Transport
  readonly #keeper: Keeper
  readonly #onChange: () => void
  #incarnation = ''
  #created = 0
  #highest = 0

  constructor(transport: Transport, keeper: Keeper, onChange: () => void) {
    this.#transport = transport
    this.#keeper = keeper
    this.#onChange = onChange
  }

  get incarnation(): string {
    return this.#incarnation
  }

  cursor(sequence: number): string {
    return formatCursor({ incarnation: this.#incarnation, sequence })
  }

  /** Takes the log as it is now. Throws UNREACHABLE, DEADLINE or BROKER_DOWN. */
  async learn(): Promise<void> {
    const incarnation = await this.#ask()
    const { created, lastSequence } = await this.#transport.streamInfo(EVENTS)
    this.#incarnation = incarnation
    this.#created = created
    this.#highest = lastSequence
  }

  /** True when the keeper still names the incarnation that is known here; otherwise everybody begins anew. */
  async compare(): Promise<boolean> {
    const known = this.#incarnation
    const same = (await this.#ask()) === known
    if (!same && known === this.#incarnation) this.#onChange()
    return same
  }

  note(sequence: number): void {
    if (sequence > this.#highest) this.#highest = sequence
  }

  /** Throws CONFLICT when it is not the log that is known here; everybody then begins anew. */
  async info(): Promise<StreamInfo> {
    // What comes in while the question is under way may be newer than its answer.
    const seen = this.#highest
    const known = this.#incarnation
    const info = await this.#transport.streamInfo(EVENTS)
    if (known === this.#incarnation && (info.created !== this.#created || info.lastSequence < seen)) {
      this.#onChange()
      throw new WaggleError('CONFLICT', { reason: 'The log began anew.' })
    }
    this.note(info.lastSequence)
    return info
  }

  async #ask(): Promise<string> {
    return (await this.#keeper(PLATFORM.tenant).ask('incarnation', {})).incarnation
  }
}
