import { PLATFORM } from '#shared/actor/core.ts'
import type { EventLog, LogPlace } from '#shared/actor/event-log.ts'
import type { Keeper } from './floors-book.ts'
import { LogLife } from './log-life.ts'

export interface LogLivesParts {
  readonly events: EventLog
  readonly keeper: Keeper
  /** A log is another one, or lost its tail. */
  readonly onChange: (life: LogLife) => void
  /** A tenant's log goes on in a stream of its own. */
  readonly onMove: (tenant: string) => void
}

/** The logs there are, as the keeper tells: the shared one, and those of tenants that have moved. */
export class LogLives {
  readonly #parts: LogLivesParts
  readonly #shared: LogLife
  readonly #own = new Map<string, LogLife>()

  constructor(parts: LogLivesParts) {
    this.#parts = parts
    this.#shared = new LogLife(() => parts.events.shared, parts.onChange)
  }

  of(tenant: string): LogLife {
    return this.#own.get(tenant) ?? this.#shared
  }

  /** Takes them as they are now. Throws UNREACHABLE, DEADLINE or BROKER_DOWN. */
  async learn(): Promise<void> {
    const { incarnation, own } = await this.#ask()
    await this.#shared.learn(incarnation)
    this.#parts.events.incarnation = incarnation
    for (const place of own) await this.#settle(place, place.incarnation)
  }

  /** Takes one of them as it is now. */
  async learnAgain(life: LogLife): Promise<void> {
    const { incarnation, own } = await this.#ask()
    if (life === this.#shared) {
      await life.learn(incarnation)
      this.#parts.events.incarnation = incarnation
    }
    for (const place of own) if (this.#own.get(place.tenant) === life) await life.learn(place.incarnation)
  }

  /** Asks the keeper what is there now, and tells of what has changed. False when anything has. */
  async compare(): Promise<boolean> {
    const { incarnation, own } = await this.#ask()
    let same = this.#shared.compare(incarnation)
    for (const place of own) {
      const life = this.#own.get(place.tenant)
      if (life !== undefined) same = life.compare(place.incarnation) && same
      else {
        await this.#settle(place, place.incarnation)
        same = false
      }
    }
    return same
  }

  async #settle(place: LogPlace, incarnation: string): Promise<void> {
    const { events, onChange, onMove } = this.#parts
    const { tenant } = place
    const life = new LogLife(() => events.at(place), onChange)
    await life.learn(incarnation)
    if (this.#own.has(tenant)) return
    events.settle(place)
    this.#own.set(tenant, life)
    onMove(tenant)
  }

  #ask(): Promise<{ incarnation: string; own: readonly OwnLog[] }> {
    return this.#parts.keeper(PLATFORM.tenant).ask('logs', {})
  }
}

interface OwnLog extends LogPlace {
  readonly incarnation: string
}
