import type { LetterSummary } from '#shared/contracts/letter.ts'
import type { Terminal } from '../terminal.ts'

const CODE_COLUMNS = 16
const MESSAGE_CHARS = 60

/** A dead letter as one line. */
export function letterRow(letter: LetterSummary, { outColors: colors }: Terminal): string {
  const message =
    letter.message.length > MESSAGE_CHARS ? `${letter.message.slice(0, MESSAGE_CHARS - 1)}…` : letter.message
  const state = letter.state === 'buried' ? '' : colors.dim(`  ${letter.state}`)
  return [
    letter.id,
    colors.dim(new Date(letter.at).toISOString()),
    colors.red(letter.code.padEnd(CODE_COLUMNS)),
    `${letter.subject}  ${message}${state}`,
  ].join('  ')
}

/** All that is known of one. */
export function letterPage(
  letter: LetterSummary & Readonly<Record<string, unknown>>,
  { outColors: colors }: Terminal,
): string {
  const lines: string[] = []
  for (const [name, value] of Object.entries(letter)) {
    const shown =
      name === 'at'
        ? new Date(letter.at).toISOString()
        : typeof value === 'string'
          ? value
          : JSON.stringify(value, null, 2)
    lines.push(`${colors.bold(name.padEnd(11))} ${shown.replaceAll('\n', `\n${' '.repeat(12)}`)}`)
  }
  return lines.join('\n')
}
