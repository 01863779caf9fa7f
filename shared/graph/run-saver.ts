import type { RunContext } from '#shared/actor/definition.ts'
import { CheckpointSaver } from './checkpoint-saver.ts'
import type { CheckpointStore } from './checkpoint-store.ts'
import type { RunSaver } from './run-graph.ts'

/** Checkpoints that a run keeps while it goes on: enough to look back and to fork, without a copy of it for each step. */
const KEPT = 20
/** Checkpoints that stay of a run that is over, to look back. The newest answers when a crash makes the run end twice. */
const KEPT_WHEN_OVER = 4
/** What a crash may cost of steps that did nothing outside: they are done again. */
const LINGER_MS = 100

/** What a saver needs of the attempt that it writes for. */
export type SavedRun = Pick<RunContext, 'fence' | 'factsStored'>

/**
 * The checkpoints of one run, written under its parent's epoch (I1). What a checkpoint says is done has been said in the
 * log before it is written, since whoever goes on from it does not say it again (I12).
 */
export function runSaver(checkpoints: CheckpointStore, run: SavedRun): RunSaver {
  let stored = 0
  const counted: CheckpointStore = {
    async write(under, batch) {
      await run.factsStored()
      await checkpoints.write(under, batch)
      stored += batch.checkpoints.length - batch.dropped.length
    },
    read: (tenant, place, id) => checkpoints.read(tenant, place, id),
    list: (tenant, query) => checkpoints.list(tenant, query),
    prune: (under, thread, keep) => checkpoints.prune(under, thread, keep),
  }
  const saver = new CheckpointSaver({ checkpoints: counted, fence: run.fence, keep: KEPT, lingerMs: LINGER_MS })
  return {
    checkpoints: saver,
    durable: () => saver.durable(),
    async over(thread, resumed) {
      // A quick run has stored next to none, and a statement for each would be what it costs most. What earlier
      // attempts have stored is not counted here.
      if (resumed || stored > KEPT_WHEN_OVER) await saver.prune(thread, KEPT_WHEN_OVER)
    },
  }
}
