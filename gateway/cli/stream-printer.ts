import type { MessageView } from '#gateway/client/conversation-state.ts'
import type { Terminal } from './terminal.ts'

/**
 * Writes answers as they grow. What was written cannot be taken back: when a text was cut or withdrawn, that is said on
 * the other stream, and the text is written anew on a new line.
 */
export class StreamPrinter {
  readonly #terminal: Terminal
  readonly #written = new Map<string, string>()
  readonly #done = new Set<string>()
  /** The message whose line is not ended. */
  #open: string | null = null

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  sync(message: MessageView): void {
    const { id, status, text } = message
    if (this.#done.has(id)) return
    const before = this.#written.get(id) ?? ''
    if (status === 'retracted') {
      this.#written.delete(id)
      if (before !== '') this.note(`what was said is withdrawn: ${message.reason}`)
      return
    }
    if (this.#open !== id && text !== before) this.breakLine()
    if (!text.startsWith(before)) {
      this.note('the text begins anew')
      this.#terminal.out(text)
    } else if (text.length > before.length) {
      this.#terminal.out(text.slice(before.length))
    }
    if (text !== before) {
      this.#written.set(id, text)
      this.#open = text.endsWith('\n') ? null : id
    }
    if (status === 'streaming') return
    this.#done.add(id)
    this.#written.delete(id)
    if (this.#open === id) this.breakLine()
  }

  /** A line beside the answers, on the other stream, never in the middle of one. */
  note(line: string): void {
    const { err, errColors, sameScreen } = this.#terminal
    if (this.#open !== null && sameScreen) this.breakLine()
    err(`${errColors.dim(line)}\n`)
  }

  breakLine(): void {
    if (this.#open === null) return
    this.#terminal.out('\n')
    this.#open = null
  }
}
