import type { Fence } from '#shared/actor/store.ts'
import { CheckpointSaver } from './checkpoint-saver.ts'
import type { CheckpointStore } from './checkpoint-store.ts'
import type { RunSaver } from './run-graph.ts'

/** Checkpoints that a run keeps while it goes on: enough to look back and to fork, without a copy of it for each step. */
const KEPT = 20
/** What a crash may cost of steps that did nothing outside: they are done again. */
const LINGER_MS = 100

/** The checkpoints of one run, written under its parent's epoch (I1). */
export function runSaver(checkpoints: CheckpointStore, fence: Fence): RunSaver {
  const saver = new CheckpointSaver({ checkpoints, fence, keep: KEPT, lingerMs: LINGER_MS })
  return { checkpoints: saver, durable: () => saver.durable() }
}
