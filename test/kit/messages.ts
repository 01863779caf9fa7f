/** What the runner and a worker say to each other. */
import type { Outcome } from './outcome.ts'
import type { Step } from './recorder.ts'

export interface RunFile {
  readonly file: string
}

export type FromWorker =
  | { readonly type: 'step'; readonly step: Step }
  | { readonly type: 'outcome'; readonly outcome: Outcome }
  | { readonly type: 'done'; readonly tainted: boolean }

/** How long loading a test file, with everything it imports, may take. */
export const LOAD_DEADLINE_MS = 60_000
