import type { Fence } from '#shared/actor/store.ts'

/**
 * What the checkpoint saver needs of a database, in rows: shared/db/checkpoints.ts supplies it, and a main.ts joins the
 * two. Everything written is fenced by the epoch of the run's partition (I1) and fails with STALE_EPOCH after a takeover.
 */
export interface CheckpointStore {
  /** Everything of a batch or nothing. */
  write(fence: Fence, batch: CheckpointBatch): Promise<void>
  /** The newest of the namespace, or the one asked for. */
  read(tenant: string, place: CheckpointPlace, id: string | null): Promise<CheckpointRow | null>
  /** The newest first. */
  list(tenant: string, query: CheckpointQuery): Promise<readonly CheckpointRow[]>
  /** Leaves the newest `keep` checkpoints of each namespace of a thread; 0 leaves nothing. */
  prune(fence: Fence, thread: string, keep: number): Promise<void>
}

export interface CheckpointPlace {
  readonly thread: string
  readonly ns: string
}

/** A value as the serializer wrote it. */
export interface TypedBytes {
  readonly type: string
  readonly bytes: Uint8Array
}

export interface NewCheckpoint extends CheckpointPlace {
  readonly id: string
  readonly parentId: string | null
  /** Without the values of channels. */
  readonly body: Uint8Array
  /** JSON text. */
  readonly metadata: string
  readonly versions: Readonly<Record<string, string | number>>
}

export interface NewBlob extends CheckpointPlace {
  readonly channel: string
  readonly version: string
  readonly value: TypedBytes
}

export interface NewWrite extends CheckpointPlace {
  readonly checkpointId: string
  readonly taskId: string
  /** Of two with the same negative index the later one counts, otherwise the earlier one. */
  readonly index: number
  readonly channel: string
  readonly value: TypedBytes
}

export interface CheckpointBatch {
  readonly checkpoints: readonly NewCheckpoint[]
  readonly blobs: readonly NewBlob[]
  readonly writes: readonly NewWrite[]
  /** Older ones that are no longer needed, and values that only they named. */
  readonly dropped: readonly (CheckpointPlace & { readonly id: string })[]
  readonly droppedBlobs: readonly (CheckpointPlace & { readonly channel: string; readonly version: string })[]
}

export interface CheckpointRow extends CheckpointPlace {
  readonly id: string
  readonly parentId: string | null
  readonly body: Uint8Array
  readonly metadata: unknown
  /** Of those channels that have one. */
  readonly values: readonly { readonly channel: string; readonly value: TypedBytes }[]
  /** In the order of task and index. */
  readonly writes: readonly { readonly taskId: string; readonly channel: string; readonly value: TypedBytes }[]
}

export interface CheckpointQuery {
  readonly thread?: string
  readonly ns?: string
  readonly id?: string
  /** Only those with a smaller id. */
  readonly before?: string
  /** Members that the metadata must have, JSON text. */
  readonly filter?: string
  readonly limit?: number
}
