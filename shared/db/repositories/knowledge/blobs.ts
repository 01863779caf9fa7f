import type { TenantSql } from '#shared/actor/store.ts'

export interface BlobRow {
  readonly hash: string
  /** Objects of the object store, in this order. */
  readonly parts: readonly string[]
  readonly bytes: number
}

/** Keeps content by its hash. What was here before stays, and the objects of the new one are to be removed. */
export async function keepBlob(sql: TenantSql, blob: BlobRow, now: number): Promise<void> {
  const [kept] = await sql.query<{ parts: string[] }>(
    `with put as (
       insert into blobs (tenant, hash, parts, bytes, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing returning parts)
     select parts from put union all select parts from blobs where tenant = $1 and hash = $2 limit 1`,
    [sql.tenant, blob.hash, JSON.stringify(blob.parts), blob.bytes, now],
  )
  const spare = blob.parts.filter((part) => kept?.parts.includes(part) !== true)
  await removeObjects(sql, spare, now)
}

export async function blobOf(sql: TenantSql, hash: string): Promise<BlobRow | null> {
  const [row] = await sql.query<BlobRow>(
    'select hash, parts, bytes::float8 as bytes from blobs where tenant = $1 and hash = $2',
    [sql.tenant, hash],
  )
  return row ?? null
}

/** Their removal is part of this transaction: a sweep does it, as often as it takes. */
export async function removeObjects(sql: TenantSql, objects: readonly string[], now: number): Promise<void> {
  if (objects.length === 0) return
  await sql.query(
    'insert into blob_removals (tenant, object, at) select $1, unnest($2::text[]), $3 on conflict do nothing',
    [sql.tenant, objects, now],
  )
}

export async function objectsToRemove(sql: TenantSql, limit: number): Promise<string[]> {
  const rows = await sql.query<{ object: string }>(
    'select object from blob_removals where tenant = $1 order by at, object limit $2',
    [sql.tenant, limit],
  )
  return rows.map(({ object }) => object)
}

export async function objectsRemoved(sql: TenantSql, objects: readonly string[]): Promise<void> {
  await sql.query('delete from blob_removals where tenant = $1 and object = any($2)', [sql.tenant, objects])
}

/** Content that no version has any more goes; its objects are to be removed. */
export async function dropUnusedBlobs(sql: TenantSql, now: number): Promise<number> {
  const rows = await sql.query<{ parts: string[] }>(
    `delete from blobs b where b.tenant = $1
       and not exists (select from document_versions v where v.tenant = b.tenant and v.hash = b.hash) returning parts`,
    [sql.tenant],
  )
  await removeObjects(
    sql,
    rows.flatMap(({ parts }) => parts),
    now,
  )
  return rows.length
}
