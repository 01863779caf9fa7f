import { StorageType } from 'nats'
import type { NatsConnection, ObjectStore } from 'nats'
import type { ObjectBucket } from '#shared/transport/port.ts'
import { fromClientError } from './broker-error.ts'

/** Objects go in pieces of this size: far below any server's payload limit. */
const PIECE_BYTES = 128 * 1024

export interface ObjectSettings {
  readonly name: string
  readonly apiPrefix: string
  readonly replicas: number
}

/** NATS' own object store, in the layout that its tools know; digests are checked by the client library on reading. */
export async function openObjects(connection: NatsConnection, settings: ObjectSettings): Promise<ObjectBucket> {
  const { name, apiPrefix, replicas } = settings
  const store = await tried({ bucket: name }, (): Promise<ObjectStore> =>
    connection.jetstream({ apiPrefix }).views.os(name, { storage: StorageType.File, replicas }),
  )
  return {
    put: (object, content) =>
      tried({ object }, async () => {
        const info = await store.put({ name: object, options: { max_chunk_size: PIECE_BYTES } }, streamOf(content))
        return info.size
      }),
    get: (object) =>
      tried({ object }, async () => {
        const info = await store.info(object)
        if (info === null || info.deleted) return null
        const found = await store.get(object)
        return found === null ? null : contentOf(found.data, found.error)
      }),
    remove: (object) =>
      tried({ object }, async () => {
        const info = await store.info(object)
        if (info !== null && !info.deleted) await store.delete(object)
      }),
    names: (prefix) =>
      tried({ prefix }, async () => {
        const all = await store.list()
        return all.flatMap((info) => (!info.deleted && info.name.startsWith(prefix) ? [info.name] : []))
      }),
  }
}

async function tried<Value>(details: Readonly<Record<string, string>>, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw fromClientError(error as Error, details)
  }
}

function streamOf(content: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const source = content[Symbol.asyncIterator]()
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { done, value } = await source.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      } catch (error) {
        controller.error(error)
      }
    },
    cancel: async () => void (await source.return?.()),
  })
}

async function* contentOf(data: ReadableStream<Uint8Array>, failed: Promise<Error | null>): AsyncGenerator<Uint8Array> {
  for await (const piece of data) yield piece
  // Settles with nothing at all when it went well.
  const error = await failed
  if (error instanceof Error) throw error
}
