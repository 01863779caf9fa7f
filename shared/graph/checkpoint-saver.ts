/**
 * LangGraph's checkpoints of one run, in the database of the project: with a tenant, under the epoch of the run's
 * partition (I1), and one statement for everything that is waiting to be written.
 *
 * Puts are gathered: while a statement is under way the next ones wait and go together in the one after it; order is kept.
 * A put resolves when it is stored. With `lingerMs` it resolves when it is gathered, what is gathered is stored that much
 * later at most, and of checkpoints gathered together only the newest is written, which is what a resumed run needs: a
 * quick run takes two statements and not one for each step. `durable()` resolves when everything put so far is stored;
 * call it before anything with outside effects. After a statement has failed, every later put and `durable()` fail with
 * the same error: a checkpoint whose parent is missing must not come into being. Of a run's checkpoints the newest `keep`
 * stay, so that a conversation that grows with each step does not leave a copy of itself for each.
 *
 * Values are serialised when they are written: what was put must not be changed afterwards.
 */
import type { RunnableConfig } from '@langchain/core/runnables'
import { BaseCheckpointSaver, copyCheckpoint } from '@langchain/langgraph'
import type { Checkpoint, CheckpointMetadata, CheckpointTuple } from '@langchain/langgraph'

import type { Fence } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Cancel, Clock } from '#shared/lib/clock.ts'

import type {
  CheckpointBatch,
  CheckpointPlace,
  CheckpointQuery,
  CheckpointRow,
  CheckpointStore,
  TypedBytes,
} from './checkpoint-store.ts'

type PutParameters = Parameters<BaseCheckpointSaver['put']>
type ListOptions = Parameters<BaseCheckpointSaver['list']>[1]
type Writes = Parameters<BaseCheckpointSaver['putWrites']>[1]

export interface CheckpointSaverOptions {
  readonly checkpoints: CheckpointStore
  readonly fence: Fence
  /** How many checkpoints of a namespace stay while the run goes on; all of them if not given. */
  readonly keep?: number
  /** How long a put may wait for others, milliseconds; none if not given. */
  readonly lingerMs?: number
  readonly clock?: Clock
}

/** Channels whose writes are not results of a task; of each the last one counts. The numbers are LangGraph's. */
const SPECIAL_WRITES: Readonly<Record<string, number>> = {
  __error__: -1,
  __scheduled__: -2,
  __interrupt__: -3,
  __resume__: -4,
}
/** Before version 4 of the format, messages between tasks lay in the writes of the parent. */
const SENDS_IN_CHANNEL_SINCE = 4
const SENDS = '__pregel_tasks'
/** Checkpoints that one list reads at a time. */
const LIST_PAGE = 50

export class CheckpointSaver extends BaseCheckpointSaver {
  readonly #store: CheckpointStore
  readonly #fence: Fence
  readonly #keep: number
  readonly #lingerMs: number
  readonly #clock: Clock
  /** The newest checkpoints of each namespace that this saver wrote, oldest first. */
  readonly #kept = new Map<string, { id: string; versions: Checkpoint['channel_versions'] }[]>()
  readonly #puts = new Set<Promise<unknown>>()
  #waiting: Gathered = { puts: [], writes: [] }
  #last: Promise<void> = Promise.resolve()
  #next: Promise<void> | null = null
  #failed: Error | null = null
  #lingering: Cancel | null = null

  constructor(options: CheckpointSaverOptions) {
    super()
    this.#store = options.checkpoints
    this.#fence = options.fence
    this.#keep = options.keep ?? Number.POSITIVE_INFINITY
    this.#lingerMs = options.lingerMs ?? 0
    this.#clock = options.clock ?? systemClock
  }

  /** Resolves when everything put so far is stored; rejects when something could not be. */
  async durable(): Promise<void> {
    await Promise.all(this.#puts)
    if (this.#lingering !== null) await this.#flush()
    await this.#last
    if (this.#failed !== null) throw this.#failed
  }

  /** The run is over: leaves the newest `keep` checkpoints of each namespace. */
  async prune(thread: string, keep = 0): Promise<void> {
    await this.durable()
    this.#kept.clear()
    await this.#store.prune(this.#fence, thread, keep)
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const thread = text(config.configurable?.['thread_id'])
    if (thread === null) return undefined
    await this.durable()
    const place = { thread, ns: text(config.configurable?.['checkpoint_ns']) ?? '' }
    const row = await this.#store.read(this.#fence.tenant, place, checkpointId(config))
    return row === null ? undefined : this.#tuple(row)
  }

  override async *list(config: RunnableConfig, options: ListOptions = {}): AsyncGenerator<CheckpointTuple> {
    await this.durable()
    const { limit = Number.POSITIVE_INFINITY, before, filter } = options
    const [thread, ns, id] = [
      text(config.configurable?.['thread_id']),
      text(config.configurable?.['checkpoint_ns']),
      checkpointId(config),
    ]
    const fixed: CheckpointQuery = {
      ...(thread === null ? {} : { thread }),
      ...(ns === null ? {} : { ns }),
      ...(id === null ? {} : { id }),
      ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }),
    }
    let mark = before === undefined ? null : checkpointId(before)
    for (let left = limit; left > 0;) {
      const page = Math.min(left, LIST_PAGE)
      const rows = await this.#store.list(this.#fence.tenant, {
        ...fixed,
        ...(mark === null ? {} : { before: mark }),
        limit: page,
      })
      for (const row of rows) yield await this.#tuple(row)
      if (rows.length < page) return
      left -= rows.length
      mark = rows.at(-1)?.id ?? null
    }
  }

  override put(...parameters: PutParameters): Promise<RunnableConfig> {
    return this.#count(this.#put(...parameters))
  }

  override putWrites(config: RunnableConfig, writes: Writes, taskId: string): Promise<void> {
    return this.#count(this.#putWrites(config, writes, taskId))
  }

  async #put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: PutParameters[3],
  ): Promise<RunnableConfig> {
    const place = placeOf(config)
    const put: Put = {
      place,
      checkpoint: copyCheckpoint(checkpoint),
      metadata,
      parentId: checkpointId(config),
      changed: newVersions,
    }
    this.#waiting.puts.push(put)
    await this.#gather()
    return { configurable: { thread_id: place.thread, checkpoint_ns: place.ns, checkpoint_id: checkpoint.id } }
  }

  async #putWrites(config: RunnableConfig, writes: Writes, taskId: string): Promise<void> {
    const place = placeOf(config)
    const id = checkpointId(config)
    if (id === null) throw new WaggleError('INTERNAL', { reason: 'Writes were put without a checkpoint_id.' })
    this.#waiting.writes.push({ place, checkpointId: id, taskId, writes: [...writes] })
    await this.#gather()
  }

  override async deleteThread(threadId: string): Promise<void> {
    await this.prune(threadId, 0)
  }

  #gather(): Promise<void> {
    if (this.#lingerMs === 0) return this.#flush()
    if (this.#failed !== null) return Promise.reject(this.#failed)
    // A failure is told by the next put and by `durable`.
    this.#lingering ??= this.#clock.setTimeout(() => void this.#flush().catch(() => {}), this.#lingerMs)
    return Promise.resolve()
  }

  /** One statement at a time; whoever comes meanwhile shares the next one. */
  #flush(): Promise<void> {
    this.#lingering?.()
    this.#lingering = null
    if (this.#next === null) {
      this.#next = this.#last.then(
        () => this.#write(),
        () => this.#write(),
      )
      this.#last = this.#next
    }
    return this.#next
  }

  async #write(): Promise<void> {
    this.#next = null
    const gathered = this.#waiting
    this.#waiting = { puts: [], writes: [] }
    if (this.#failed !== null) throw this.#failed
    try {
      await this.#store.write(this.#fence, await this.#serialise(this.#lingerMs === 0 ? gathered : newestOf(gathered)))
    } catch (error) {
      this.#failed = error instanceof Error ? error : new Error(String(error))
      throw error
    }
  }

  async #serialise({ puts, writes }: Gathered): Promise<CheckpointBatch> {
    const batch = emptyBatch()
    for (const { place, checkpoint, metadata, parentId, changed } of puts) {
      const { channel_values: values, ...bare } = checkpoint
      const versions = bare.channel_versions
      const [, body] = await this.serde.dumpsTyped({ ...bare, channel_values: {} })
      const [, about] = await this.serde.dumpsTyped(metadata)
      batch.checkpoints.push({ ...place, id: checkpoint.id, parentId, body, metadata: decode(about), versions })
      for (const [channel, version] of Object.entries(changed)) {
        // A channel without a value has no row: what is not found when it is read has none.
        if (!(channel in values)) continue
        batch.blobs.push({ ...place, channel, version: String(version), value: await this.#dump(values[channel]) })
      }
      this.#dropOld(batch, place, checkpoint.id, versions)
    }
    for (const { place, checkpointId: id, taskId, writes: own } of writes) {
      for (const [at, [channel, written]] of own.entries()) {
        const index = SPECIAL_WRITES[channel] ?? at
        const value = await this.#dump(written)
        batch.writes.push({ ...place, checkpointId: id, taskId, index, channel, value })
      }
    }
    return batch
  }

  /** Counts a put from its beginning on, for `durable`. */
  async #count<Result>(put: Promise<Result>): Promise<Result> {
    this.#puts.add(put)
    try {
      return await put
    } finally {
      this.#puts.delete(put)
    }
  }

  #dropOld(batch: MutableBatch, place: CheckpointPlace, id: string, versions: Checkpoint['channel_versions']): void {
    if (this.#keep === Number.POSITIVE_INFINITY) return
    const at = `${place.thread}\n${place.ns}`
    const kept = this.#kept.get(at) ?? []
    kept.push({ id, versions })
    this.#kept.set(at, kept)
    while (kept.length > this.#keep) {
      const old = kept.shift()
      if (old === undefined) return
      batch.dropped.push({ ...place, id: old.id })
      for (const [channel, version] of Object.entries(old.versions)) {
        if (kept.some((other) => other.versions[channel] === version)) continue
        batch.droppedBlobs.push({ ...place, channel, version: String(version) })
      }
    }
  }

  async #tuple(row: CheckpointRow): Promise<CheckpointTuple> {
    const place = { thread_id: row.thread, checkpoint_ns: row.ns }
    const [body, metadata, values, writes] = await Promise.all([
      this.serde.loadsTyped('json', row.body) as Promise<Checkpoint>,
      this.serde.loadsTyped('json', JSON.stringify(row.metadata)) as Promise<CheckpointMetadata>,
      Promise.all(row.values.map(async ({ channel, value }) => [channel, await this.#load(value)] as const)),
      Promise.all(
        row.writes.map(
          async ({ taskId, channel, value }) => [taskId, channel, await this.#load(value)] as [string, string, unknown],
        ),
      ),
    ])
    const checkpoint: Checkpoint = { ...body, channel_values: Object.fromEntries(values) }
    if (checkpoint.v < SENDS_IN_CHANNEL_SINCE && row.parentId !== null) await this.#moveSends(row, checkpoint)
    return {
      config: { configurable: { ...place, checkpoint_id: row.id } },
      checkpoint,
      metadata,
      pendingWrites: writes,
      ...(row.parentId === null ? {} : { parentConfig: { configurable: { ...place, checkpoint_id: row.parentId } } }),
    }
  }

  async #moveSends(row: CheckpointRow, checkpoint: Checkpoint): Promise<void> {
    const parent = await this.#store.read(this.#fence.tenant, row, row.parentId)
    const sends = (parent?.writes ?? []).filter((write) => write.channel === SENDS)
    checkpoint.channel_values[SENDS] = await Promise.all(sends.map((write) => this.#load(write.value)))
    const versions = Object.values(checkpoint.channel_versions)
    checkpoint.channel_versions[SENDS] =
      versions.length === 0
        ? this.getNextVersion(undefined)
        : versions.reduce((newest, version) => (version > newest ? version : newest))
  }

  async #dump(value: unknown): Promise<TypedBytes> {
    const [type, bytes] = await this.serde.dumpsTyped(value)
    return { type, bytes }
  }

  #load(value: TypedBytes): Promise<unknown> {
    return this.serde.loadsTyped(value.type, value.bytes)
  }
}

interface Put {
  readonly place: CheckpointPlace
  readonly checkpoint: Checkpoint
  readonly metadata: CheckpointMetadata
  readonly parentId: string | null
  /** Versions of the channels that changed since the checkpoint before it. */
  readonly changed: PutParameters[3]
}

interface Gathered {
  readonly puts: Put[]
  readonly writes: {
    readonly place: CheckpointPlace
    readonly checkpointId: string
    readonly taskId: string
    readonly writes: Writes
  }[]
}

/** Of each namespace the newest checkpoint, as if it had come right after the one that is stored. */
function newestOf({ puts, writes }: Gathered): Gathered {
  const newest = new Map<string, Put>()
  const superseded = new Set<string>()
  for (const put of puts) {
    const at = JSON.stringify(put.place)
    const before = newest.get(at)
    if (before === undefined) {
      newest.set(at, put)
      continue
    }
    superseded.add(before.checkpoint.id)
    newest.set(at, { ...put, parentId: before.parentId, changed: { ...before.changed, ...put.changed } })
  }
  return { puts: [...newest.values()], writes: writes.filter((write) => !superseded.has(write.checkpointId)) }
}

type MutableBatch = { readonly [Part in keyof CheckpointBatch]: CheckpointBatch[Part][number][] }

function emptyBatch(): MutableBatch {
  return { checkpoints: [], blobs: [], writes: [], dropped: [], droppedBlobs: [] }
}

function placeOf(config: RunnableConfig): CheckpointPlace {
  const thread = text(config.configurable?.['thread_id'])
  if (thread === null) throw new WaggleError('INTERNAL', { reason: 'A checkpoint was put without a thread_id.' })
  return { thread, ns: text(config.configurable?.['checkpoint_ns']) ?? '' }
}

function checkpointId(config: RunnableConfig): string | null {
  const { configurable } = config
  return text(configurable?.['checkpoint_id'] ?? configurable?.['thread_ts']) || null
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
