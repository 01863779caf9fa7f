import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import pc from 'picocolors'
import type { Terminal } from '#gateway/cli/terminal.ts'

/** A terminal in memory: keeps what was written, is given its input, and has a Ctrl-C to press. */
export class FakeTerminal implements Terminal {
  stdout = ''
  stderr = ''
  /** Both streams in the order of writing, as on one screen. */
  screen = ''
  readonly outColors = pc.createColors(false)
  readonly errColors = pc.createColors(false)
  readonly sameScreen: boolean
  readonly columns = 120
  readonly env: Record<string, string | undefined>
  readonly cwd: string
  readonly input: Readable
  readonly #events = new EventEmitter()

  constructor(options: { env?: Record<string, string>; cwd?: string; input?: Readable; sameScreen?: boolean } = {}) {
    this.env = options.env ?? {}
    this.cwd = options.cwd ?? '/nowhere'
    this.input = options.input ?? Readable.from([])
    this.sameScreen = options.sameScreen ?? false
  }

  readonly out = (text: string): void => {
    this.stdout += text
    this.screen += text
    this.#events.emit('written')
  }

  readonly err = (text: string): void => {
    this.stderr += text
    this.screen += text
    this.#events.emit('written')
  }

  readonly onInterrupt = (listener: () => void): (() => void) => {
    this.#events.on('interrupt', listener)
    return () => this.#events.off('interrupt', listener)
  }

  get listeners(): number {
    return this.#events.listenerCount('interrupt')
  }

  interrupt(): void {
    this.#events.emit('interrupt')
  }

  /** Resolves when what was written so far holds this. */
  shows(text: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.screen.includes(text)) return
        this.#events.off('written', look)
        resolve()
      }
      this.#events.on('written', look)
      look()
    })
  }
}
