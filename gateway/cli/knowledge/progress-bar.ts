import type { Terminal } from '../terminal.ts'

const BAR_CHARS = 24
const NAME_CHARS = 32
const ERASE_LINE = '\r\u001b[2K'

/** One line that is drawn over and over on a terminal; elsewhere nothing is drawn, and only `line` is written. */
export class ProgressBar {
  readonly #terminal: Terminal
  readonly #drawn: boolean
  #open = false

  constructor(terminal: Terminal, quiet: boolean) {
    this.#terminal = terminal
    this.#drawn = terminal.sameScreen && !quiet
  }

  /** @param share 0 to 1, or null while it is not known */
  draw(name: string, label: string, share: number | null): void {
    if (!this.#drawn) return
    const filled = share === null ? 0 : Math.round(Math.min(1, share) * BAR_CHARS)
    const { errColors: colors } = this.#terminal
    const bar = `${colors.cyan('█'.repeat(filled))}${colors.dim('░'.repeat(BAR_CHARS - filled))}`
    const percent = share === null ? '    ' : `${String(Math.round(share * 100)).padStart(3)}%`
    const shown = name.length > NAME_CHARS ? `…${name.slice(1 - NAME_CHARS)}` : name.padEnd(NAME_CHARS)
    this.#terminal.err(`${ERASE_LINE}${shown} ${bar} ${percent}  ${label}`)
    this.#open = true
  }

  /** A line that stays. */
  line(text: string): void {
    this.#terminal.err(`${this.#open ? ERASE_LINE : ''}${text}\n`)
    this.#open = false
  }
}
