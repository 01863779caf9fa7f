import type { Snapshot } from '#shared/contracts/client.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Entry } from './entry.ts'

/**
 * Where a reader's entries go: a socket, an event stream, a waiting request. Nothing is called after `close()` of the
 * opening. The methods are properties on purpose: so their parameters are checked strictly, and a sink of public
 * entries does not pass for one of all entries.
 */
export interface Sink<E extends Entry> {
  /** In log order, each once. */
  readonly entries: (batch: readonly E[]) => void
  /** Replace what you had; entries after the snapshot's cursor follow. */
  readonly snapshot: (snapshot: Snapshot) => void
  /** True while what was written has not gone out: the reader is put aside and catches up from the log later. */
  readonly congested: () => boolean
  /** It is over, for this reason; nothing follows. */
  readonly failed: (error: WaggleError) => void
  /** Readers in step with each other are written to at once, encoded once. */
  readonly room?: Room<E>
}

/** One write reaches everybody who entered. Sinks of one conversation whose rooms have the same name share it. */
export interface Room<E extends Entry> {
  readonly name: string
  readonly send: (batch: readonly E[]) => void
  /** This sink is in step now. */
  readonly enter: () => void
  readonly leave: () => void
}
