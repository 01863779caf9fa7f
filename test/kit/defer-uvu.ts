/**
 * Imported for its effect before uvu is: with this switch uvu queues suites and leaves running them to us, because a
 * run of its own begins before a file with a top-level await has declared all of its suites, and may not end.
 */
declare global {
  var UVU_DEFER: boolean
  /** uvu's queue: groups of runs, each begun by the name of its file. */
  var UVU_QUEUE: unknown[][]
}

globalThis.UVU_DEFER = true
globalThis.UVU_QUEUE = [[null]]

export {}
