import type { Pipe } from './memory-pipe.ts'

/** What must be told to the broker again after a reconnect, and is taken back when the connection is gone. */
export interface Registration {
  attach(session: Session): () => void
}

/** One TCP connection's life: what was registered through it ends with it. */
export class Session {
  readonly out: Pipe
  readonly in: Pipe
  readonly #attached = new Map<Registration, () => void>()
  #ended = false

  constructor(out: Pipe, back: Pipe) {
    this.out = out
    this.in = back
  }

  attach(registration: Registration): void {
    if (!this.#ended && !this.#attached.has(registration)) {
      this.#attached.set(registration, registration.attach(this))
    }
  }

  detach(registration: Registration): void {
    this.#attached.get(registration)?.()
    this.#attached.delete(registration)
  }

  hold(): void {
    this.out.hold()
    this.in.hold()
  }

  release(): void {
    this.out.release()
    this.in.release()
  }

  end(): void {
    this.#ended = true
    this.out.cut()
    this.in.cut()
    for (const detach of this.#attached.values()) detach()
    this.#attached.clear()
  }
}
