import { createHash } from 'node:crypto'
import { refuse } from '#shared/errors/waggle-error.ts'
import { newId } from '#shared/lib/ids.ts'
import type { ObjectBucket } from './port.ts'

/** Content that lies in the object store: its objects in order. */
export interface StoredObjects {
  /** SHA-256, hex. */
  readonly hash: string
  readonly parts: string[]
  readonly bytes: number
}

/** Puts bytes into the object store as they come, counted and hashed on their way. Nothing is left of what breaks off. */
export async function storeContent(
  objects: ObjectBucket,
  tenant: string,
  content: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<StoredObjects> {
  // The tenant first, so that what a tenant has can be listed and removed.
  const name = `${tenant}/${newId()}`
  const hash = createHash('sha256')
  let bytes = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      bytes += piece.byteLength
      if (bytes > maxBytes) throw refuse('TOO_LARGE', { limit: maxBytes })
      hash.update(piece)
      yield piece
    }
  }
  await objects.put(name, counted())
  if (bytes === 0) {
    await objects.remove(name)
    throw refuse('BAD_INPUT', { reason: 'The file is empty.' })
  }
  return { hash: hash.digest('hex'), parts: [name], bytes }
}
