import type { TenantSql } from '#shared/actor/store.ts'

import { storableJson, storableText } from '../../storable.ts'
import { removeObjects } from './blobs.ts'

/** A file that comes in parts, each of which is stored before the next is asked for. */
export interface UploadRow {
  readonly id: string
  readonly name: string
  readonly bytes: number
  readonly received: number
  /** Objects of the object store, in order. */
  readonly parts: readonly string[]
  /** What it becomes when it is whole. */
  readonly request: Readonly<Record<string, unknown>>
  readonly createdBy: string
}

const COLUMNS = `id, name, bytes::float8 as bytes, received::float8 as received, parts, request, created_by as "createdBy"`

export async function insertUpload(
  sql: TenantSql,
  { id, name, bytes, request, createdBy }: Omit<UploadRow, 'received' | 'parts'>,
  collection: string,
  now: number,
): Promise<void> {
  await sql.query(
    `insert into uploads (tenant, id, collection, name, bytes, request, created_by, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [sql.tenant, id, collection, storableText(name), bytes, storableJson(request), createdBy, now],
  )
}

export async function uploadById(sql: TenantSql, id: string): Promise<UploadRow | null> {
  const [row] = await sql.query<UploadRow>(`select ${COLUMNS} from uploads where tenant = $1 and id = $2`, [
    sql.tenant,
    id,
  ])
  return row ?? null
}

/** False when it is not the part that comes next. */
export async function receivePart(
  sql: TenantSql,
  id: string,
  offset: number,
  object: string,
  bytes: number,
): Promise<boolean> {
  const rows = await sql.query(
    `update uploads set parts = parts || to_jsonb($4::text), received = received + $5
     where tenant = $1 and id = $2 and received = $3 and received + $5 <= bytes returning id`,
    [sql.tenant, id, offset, object, bytes],
  )
  return rows.length === 1
}

export async function removeUpload(sql: TenantSql, id: string): Promise<void> {
  await sql.query('delete from uploads where tenant = $1 and id = $2', [sql.tenant, id])
}

/** Those that nobody went on with; what was sent of them is to be removed. */
export async function dropOldUploads(sql: TenantSql, before: number, now: number): Promise<number> {
  const rows = await sql.query<{ parts: string[] }>(
    'delete from uploads where tenant = $1 and created_at < $2 returning parts',
    [sql.tenant, before],
  )
  await removeObjects(
    sql,
    rows.flatMap(({ parts }) => parts),
    now,
  )
  return rows.length
}
