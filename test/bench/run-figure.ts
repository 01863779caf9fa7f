/** One figure in a process of its own: `node test/bench/run-figure.ts NAME`, started by main.ts, to which it sends its rows. */
import { join } from 'node:path'

import { coerceError } from '#shared/errors/waggle-error.ts'

import type { Figure, FigureOptions, Row } from './row.ts'

export const FIGURES = join(import.meta.dirname, 'figures')

export interface FigureOrder {
  readonly name: string
  readonly dataDir: string
  readonly quick: boolean
}
export type FigureReport = { readonly said: string } | { readonly rows: readonly Row[] } | { readonly problem: string }

if (import.meta.main) {
  process.once('message', (message) => void run(message as FigureOrder))
}

async function run({ name, dataDir, quick }: FigureOrder): Promise<void> {
  const tell = (report: FigureReport): void => void process.send?.(report)
  try {
    const { figure } = (await import(join(FIGURES, `${name}.ts`))) as { readonly figure: Figure }
    const options: FigureOptions = { dataDir, quick, say: (said) => tell({ said }) }
    tell({ rows: await figure.run(options) })
  } catch (error) {
    tell({ problem: coerceError(error).stack ?? String(error) })
  }
  process.disconnect()
}
