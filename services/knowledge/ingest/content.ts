import { createHash } from 'node:crypto'
import type { TenantSql } from '#shared/actor/store.ts'
import { blobOf } from '#shared/db/repositories/knowledge/blobs.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { ObjectBucket } from '#shared/transport/port.ts'

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The whole content of a blob. NOT_FOUND when one of its objects is gone. */
export async function readBlob(
  objects: ObjectBucket,
  sql: <Value>(work: (sql: TenantSql) => Promise<Value>) => Promise<Value>,
  hash: string,
): Promise<Uint8Array> {
  const blob = await sql((tenant) => blobOf(tenant, hash))
  if (blob === null) throw refuse('NOT_FOUND', { blob: hash })
  const pieces: Uint8Array[] = []
  for (const part of blob.parts) {
    const content = await objects.get(part)
    if (content === null)
      throw refuse('NOT_FOUND', { blob: hash, reason: 'Its content is gone from the object store.' })
    for await (const piece of content) pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
