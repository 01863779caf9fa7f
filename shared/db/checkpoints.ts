/**
 * Rows of checkpoints (migration 0003), for the saver in shared/graph, whose port CheckpointStore this fits. A batch of
 * puts is one statement; so is a read, with the channel values and the pending writes of the checkpoint.
 */
import type { Pool } from 'pg'

import type { Fence } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { Database } from './database.ts'
import { plainBytes } from './plain-bytes.ts'
import { runPrepared } from './pool.ts'
import { storableJson } from './storable.ts'

interface Place {
  readonly thread: string
  readonly ns: string
}

interface Typed {
  readonly type: string
  readonly bytes: Uint8Array
}

interface Batch {
  readonly checkpoints: readonly (Place & {
    readonly id: string
    readonly parentId: string | null
    readonly body: Uint8Array
    readonly metadata: string
    readonly versions: Readonly<Record<string, string | number>>
  })[]
  readonly blobs: readonly (Place & {
    readonly channel: string
    readonly version: string
    readonly value: Typed
  })[]
  readonly writes: readonly (Place & {
    readonly checkpointId: string
    readonly taskId: string
    readonly index: number
    readonly channel: string
    readonly value: Typed
  })[]
  readonly dropped: readonly (Place & { readonly id: string })[]
  readonly droppedBlobs: readonly (Place & { readonly channel: string; readonly version: string })[]
}

interface Query {
  readonly thread?: string
  readonly ns?: string
  readonly id?: string
  readonly before?: string
  readonly filter?: string
  readonly limit?: number
}

export interface StoredCheckpoint extends Place {
  readonly id: string
  readonly parentId: string | null
  readonly body: Uint8Array
  readonly metadata: unknown
  readonly values: readonly { readonly channel: string; readonly value: Typed }[]
  readonly writes: readonly { readonly taskId: string; readonly channel: string; readonly value: Typed }[]
}

const WRITE = 'select runtime_checkpoint($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)'
/** What a list without a limit gives at most. */
const MAX_LISTED = 10_000

export class Checkpoints {
  readonly #pool: Pool

  constructor(database: Database) {
    this.#pool = database.runtimePool
  }

  async write(fence: Fence, batch: Batch): Promise<void> {
    const writes = foldWrites(batch.writes)
    await runPrepared(this.#pool, WRITE, [
      fence.tenant,
      fence.kind,
      fence.partition,
      fence.epoch,
      part(batch.checkpoints, ({ thread, ns, id, parentId, metadata, versions }) => ({
        thread,
        ns,
        id,
        parent_id: parentId,
        metadata: JSON.parse(metadata) as unknown,
        versions,
      })),
      values(batch.checkpoints, ({ body }) => body),
      part(batch.blobs, ({ thread, ns, channel, version, value }) => ({
        thread,
        ns,
        channel,
        version,
        type: value.type,
      })),
      values(batch.blobs, ({ value }) => value.bytes),
      part(writes, ({ thread, ns, checkpointId, taskId, index, channel, value }) => ({
        thread,
        ns,
        checkpoint_id: checkpointId,
        task_id: taskId,
        idx: index,
        channel,
        type: value.type,
      })),
      values(writes, ({ value }) => value.bytes),
      part(batch.dropped, (place) => place),
      part(batch.droppedBlobs, (place) => place),
    ])
  }

  async read(tenant: string, place: Place, id: string | null): Promise<StoredCheckpoint | null> {
    const { rows } = await runPrepared<Row>(
      this.#pool,
      `${SELECT} where c.tenant = $1 and c.thread = $2 and c.ns = $3 and ($4::text is null or c.id = $4)
       order by c.id desc limit 1`,
      [tenant, place.thread, place.ns, id],
    )
    return rows[0] === undefined ? null : storedCheckpoint(rows[0])
  }

  async list(tenant: string, query: Query): Promise<readonly StoredCheckpoint[]> {
    const { rows } = await runPrepared<Row>(
      this.#pool,
      `${SELECT} where c.tenant = $1 and ($2::text is null or c.thread = $2) and ($3::text is null or c.ns = $3)
         and ($4::text is null or c.id = $4) and ($5::text is null or c.id < $5)
         and ($6::jsonb is null or c.metadata @> $6)
       order by c.id desc limit $7`,
      [
        tenant,
        query.thread ?? null,
        query.ns ?? null,
        query.id ?? null,
        query.before ?? null,
        query.filter ?? null,
        Math.min(query.limit ?? MAX_LISTED, MAX_LISTED),
      ],
    )
    return rows.map(storedCheckpoint)
  }

  async prune(fence: Fence, thread: string, keep: number): Promise<void> {
    await runPrepared(this.#pool, 'select runtime_prune_thread($1, $2, $3, $4, $5, $6)', [
      fence.tenant,
      fence.kind,
      fence.partition,
      fence.epoch,
      thread,
      keep,
    ])
  }

  /**
   * Deletes threads that nobody wrote to since `before` (milliseconds), at most `threads` of them, of any tenant: for runs
   * whose end was not seen. Returns how many went.
   */
  async sweep(before: number, threads: number): Promise<number> {
    const { rows } = await runPrepared<{ gone: number }>(
      this.#pool,
      'select runtime_prune_checkpoints(to_timestamp($1::float8 / 1000), $2) as gone',
      [before, threads],
    )
    return rows[0]?.gone ?? 0
  }
}

const SELECT = `
  select c.thread, c.ns, c.id, c.parent_id, c.body, c.metadata,
    b.channels, b.types, b.values, w.tasks as write_tasks, w.channels as write_channels, w.types as write_types,
    w.values as write_values
  from checkpoints c
  left join lateral (
    select array_agg(b.channel) as channels, array_agg(b.type) as types, array_agg(b.value) as values
    from jsonb_each_text(c.versions) v
      join checkpoint_blobs b on b.tenant = c.tenant and b.thread = c.thread and b.ns = c.ns and b.channel = v.key
        and b.version = v.value) b on true
  left join lateral (
    select array_agg(w.task_id order by w.task_id collate "C", w.idx) as tasks,
      array_agg(w.channel order by w.task_id collate "C", w.idx) as channels,
      array_agg(w.type order by w.task_id collate "C", w.idx) as types,
      array_agg(w.value order by w.task_id collate "C", w.idx) as values
    from checkpoint_writes w
    where w.tenant = c.tenant and w.thread = c.thread and w.ns = c.ns and w.checkpoint_id = c.id) w on true`

interface Row {
  readonly thread: string
  readonly ns: string
  readonly id: string
  readonly parent_id: string | null
  readonly body: Buffer
  readonly metadata: unknown
  readonly channels: string[] | null
  readonly types: string[] | null
  readonly values: Buffer[] | null
  readonly write_tasks: string[] | null
  readonly write_channels: string[] | null
  readonly write_types: string[] | null
  readonly write_values: Buffer[] | null
}

function storedCheckpoint(row: Row): StoredCheckpoint {
  return {
    thread: row.thread,
    ns: row.ns,
    id: row.id,
    parentId: row.parent_id,
    body: plainBytes(row.body),
    metadata: row.metadata,
    values: (row.channels ?? []).map((channel, at) => ({ channel, value: typed(row.types, row.values, at) })),
    writes: (row.write_channels ?? []).map((channel, at) => ({
      taskId: row.write_tasks?.[at] ?? '',
      channel,
      value: typed(row.write_types, row.write_values, at),
    })),
  }
}

function typed(types: readonly string[] | null, contents: readonly Buffer[] | null, at: number): Typed {
  const [type, bytes] = [types?.[at], contents?.[at]]
  if (type === undefined || bytes === undefined)
    throw new WaggleError('INTERNAL', { reason: 'A checkpoint row is torn.' })
  return { type, bytes: plainBytes(bytes) }
}

/** One row a statement may not touch twice: of writes with the same place the first counts, of negative ones the last. */
function foldWrites(writes: Batch['writes']): Batch['writes'] {
  const folded = new Map<string, Batch['writes'][number]>()
  for (const write of writes) {
    const at = JSON.stringify([write.thread, write.ns, write.checkpointId, write.taskId, write.index])
    if (write.index < 0 || !folded.has(at)) folded.set(at, write)
  }
  return [...folded.values()]
}

function part<Item>(items: readonly Item[], row: (item: Item) => object): string | null {
  return items.length === 0 ? null : storableJson(items.map(row))
}

function values<Item>(items: readonly Item[], value: (item: Item) => Uint8Array): Buffer[] | null {
  if (items.length === 0) return null
  return items.map((item) => {
    const array = value(item)
    return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
  })
}
