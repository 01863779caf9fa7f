import type { RunSaver } from './run-graph.ts'

/** Until the runs' checkpoints are stored: a resumed run begins anew, answered by the ledger for what had been done. */
export function noCheckpoints(): RunSaver {
  return { checkpoints: null, durable: () => Promise.resolve() }
}
