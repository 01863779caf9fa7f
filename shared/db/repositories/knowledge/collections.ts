import type { TenantSql } from '#shared/actor/store.ts'

import { storableJson, storableText } from '../../storable.ts'

export interface CollectionRow {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly generation: number
  readonly documents: number
  readonly chunks: number
  readonly bytes: number
  readonly createdAt: number
  readonly updatedAt: number
}

export type CollectionChange = Partial<Pick<CollectionRow, 'title' | 'description' | 'settings'>>

const COLLECTIONS = `
  select c.id, c.title, c.description, c.settings, c.generation, c.created_at as "createdAt", c.updated_at as "updatedAt",
    count(d.id)::int as documents, coalesce(sum(v.chunks), 0)::int as chunks, coalesce(sum(v.bytes), 0)::float8 as bytes
  from collections c
    left join documents d on d.tenant = c.tenant and d.collection = c.id and d.deleted_at is null
    left join document_versions v on v.tenant = d.tenant and v.document = d.id and v.version = d.live_version
  where c.tenant = $1`

/** False when there is one of this name. */
export async function insertCollection(
  sql: TenantSql,
  { id, title, description, settings }: Pick<CollectionRow, 'id' | 'title' | 'description' | 'settings'>,
  now: number,
): Promise<boolean> {
  const rows = await sql.query(
    `insert into collections (tenant, id, title, description, settings, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing returning id`,
    [sql.tenant, id, storableText(title), storableText(description), storableJson(settings), now],
  )
  return rows.length === 1
}

/** False when there is none. What is not given stays as it is. */
export async function updateCollection(
  sql: TenantSql,
  id: string,
  { title, description, settings }: CollectionChange,
  now: number,
): Promise<boolean> {
  const rows = await sql.query(
    `update collections set title = coalesce($3, title), description = coalesce($4, description),
       settings = coalesce($5::jsonb, settings), updated_at = $6
     where tenant = $1 and id = $2 returning id`,
    [
      sql.tenant,
      id,
      title === undefined ? null : storableText(title),
      description === undefined ? null : storableText(description),
      settings === undefined ? null : storableJson(settings),
      now,
    ],
  )
  return rows.length === 1
}

export async function collectionById(sql: TenantSql, id: string): Promise<CollectionRow | null> {
  const [row] = await sql.query<CollectionRow>(`${COLLECTIONS} and c.id = $2 group by c.tenant, c.id`, [sql.tenant, id])
  return row ?? null
}

export function listCollections(sql: TenantSql): Promise<CollectionRow[]> {
  return sql.query<CollectionRow>(`${COLLECTIONS} group by c.tenant, c.id order by c.id`, [sql.tenant])
}

/** False while documents are in it, removed ones that are not swept yet among them. */
export async function removeCollection(sql: TenantSql, id: string): Promise<boolean> {
  const rows = await sql.query(
    `delete from collections c where c.tenant = $1 and c.id = $2
       and not exists (select from documents d where d.tenant = c.tenant and d.collection = c.id) returning c.id`,
    [sql.tenant, id],
  )
  return rows.length === 1
}

/** Languages of what is found in each collection of a tenant. */
export async function languagesOfCollections(sql: TenantSql): Promise<Map<string, string[]>> {
  const rows = await sql.query<{ collection: string; languages: string[] }>(
    `select d.collection, array_agg(distinct spoken) as languages
     from documents d join document_versions v on v.tenant = d.tenant and v.document = d.id and v.version = d.live_version
       cross join lateral unnest(v.languages) as spoken
     where d.tenant = $1 group by d.collection`,
    [sql.tenant],
  )
  return new Map(rows.map(({ collection, languages }) => [collection, languages]))
}
