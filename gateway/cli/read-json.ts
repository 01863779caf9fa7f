import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { usage } from './cli-error.ts'
import type { Terminal } from './terminal.ts'

/** The JSON in a file; `-` is standard input. */
export async function readJson(file: string, terminal: Pick<Terminal, 'input'>): Promise<unknown> {
  const source = file === '-' ? text(terminal.input) : readFile(file, 'utf8')
  const content = await source.catch((error: Error) => {
    throw usage(`${file} cannot be read: ${error.message}`, 'Name a file that holds JSON.')
  })
  try {
    return JSON.parse(content)
  } catch {
    throw usage(`${file} holds no JSON.`, 'Write it as JSON.')
  }
}
