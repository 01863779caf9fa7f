/** Writes ERRORS.md beside this file from the catalogue: `node shared/errors/errors-page.ts`. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { CATALOGUE } from './catalogue.ts'
import type { ErrorEntry } from './catalogue.ts'

const AUDIENCES = { pub: 'a customer', ops: 'an operator', sys: 'an engineer' } as const

export function errorsPage(catalogue: Readonly<Record<string, ErrorEntry>> = CATALOGUE): string {
  const rows = Object.entries(catalogue).map(([code, { message, audience, status, retryable, action }]) =>
    row(`\`${code}\``, message, AUDIENCES[audience], String(status), retryable ? 'yes' : 'no', action),
  )
  return [
    '# Errors',
    '',
    'Every error that Waggle can say, generated from `catalogue.ts` by `node shared/errors/errors-page.ts`. A code is never',
    'renamed or reused. Who may not read a message is told `INTERNAL` with the trace id. Retry says whether sending the very',
    'same thing again can succeed.',
    '',
    row('Code', 'What happened', 'May be read by', 'HTTP', 'Retry', 'What to do'),
    row('---', '---', '---', '---', '---', '---'),
    ...rows,
    '',
  ].join('\n')
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

if (import.meta.main) await writeFile(join(import.meta.dirname, 'ERRORS.md'), errorsPage())
