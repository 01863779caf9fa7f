import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { LogInfo, LogView } from '#shared/actor/event-log.ts'
import { formatCursor } from '#shared/wire/cursor.ts'

/**
 * Which log this is, as far as this process knows: its incarnation, when its stream was made, and the highest sequence
 * seen of it. A stream made anew, or one that is shorter than what was seen of it, has lost its tail: sequences will
 * mean other entries, so everybody has to begin anew.
 */
export class LogLife {
  /** While it is being learnt anew. */
  reborn: Promise<void> | null = null
  /** Its tail when all quiet feeds were compared with it. */
  idleTail = -1
  readonly #log: () => LogView
  readonly #onChange: (life: LogLife) => void
  #incarnation = ''
  #created = 0
  #highest = 0

  constructor(log: () => LogView, onChange: (life: LogLife) => void) {
    this.#log = log
    this.#onChange = onChange
  }

  get incarnation(): string {
    return this.#incarnation
  }

  cursor(sequence: number): string {
    return formatCursor({ incarnation: this.#incarnation, sequence })
  }

  /** Takes the log as it is now. Throws BROKER_DOWN. */
  async learn(incarnation: string): Promise<void> {
    const { created, lastSequence } = await this.#log().info()
    this.#incarnation = incarnation
    this.#created = created
    this.#highest = lastSequence
  }

  /** True when this is the incarnation that is known here; otherwise everybody begins anew. */
  compare(incarnation: string): boolean {
    const same = incarnation === this.#incarnation
    if (!same) this.#onChange(this)
    return same
  }

  note(sequence: number): void {
    if (sequence > this.#highest) this.#highest = sequence
  }

  /** Throws CONFLICT when it is not the log that is known here; everybody then begins anew. */
  async info(): Promise<LogInfo> {
    // What comes in while the question is under way may be newer than its answer.
    const seen = this.#highest
    const known = this.#incarnation
    const info = await this.#log().info()
    if (known === this.#incarnation && (info.created !== this.#created || info.lastSequence < seen)) {
      this.#onChange(this)
      throw new WaggleError('CONFLICT', { reason: 'The log began anew.' })
    }
    this.note(info.lastSequence)
    return info
  }
}

/** Whether entries can be read from after this place. */
export function isWithin(sequence: number, { firstSequence, lastSequence, gap }: LogInfo): boolean {
  if (gap !== null && sequence > gap[0] && sequence + 1 < gap[1]) return false
  return sequence <= lastSequence && sequence + 1 >= firstSequence
}
