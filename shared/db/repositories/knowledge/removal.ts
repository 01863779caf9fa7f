import type { TenantSql } from '#shared/actor/store.ts'

/** What is still there of documents that nobody can find any more: removed ones, and versions that another has replaced. */
export interface Leftover {
  readonly document: string
  readonly version: number
  readonly segment: number
  readonly collection: string
  /** False: only its place in the index goes, its text is kept for citations. */
  readonly removed: boolean
}

export function leftovers(sql: TenantSql, limit: number): Promise<Leftover[]> {
  return sql.query<Leftover>(
    `select d.id as document, v.version, v.segment, d.collection, d.deleted_at is not null as removed
     from documents d join document_versions v on v.tenant = d.tenant and v.document = d.id
     where d.tenant = $1 and (d.deleted_at is not null
       or (d.live_version is not null and v.version < d.live_version
           and exists (select from chunks c where c.tenant = v.tenant and c.segment = v.segment)))
     order by d.id, v.version limit $2`,
    [sql.tenant, limit],
  )
}

/** The last of it: its versions and pages go with it. */
export async function forgetDocument(sql: TenantSql, id: string): Promise<void> {
  await sql.query('delete from documents where tenant = $1 and id = $2 and deleted_at is not null', [sql.tenant, id])
}

/** Rows of any table that still name a document that is not there: a sweep ends when there are none. */
export async function orphans(sql: TenantSql): Promise<number> {
  const [row] = await sql.query<{ rows: number }>(
    `select (
       (select count(*) from chunks c where c.tenant = $1
          and not exists (select from document_versions v where v.tenant = c.tenant and v.segment = c.segment))
       + (select count(distinct p.segment) from postings p where p.tenant = $1
          and not exists (select from document_versions v where v.tenant = p.tenant and v.segment = p.segment))
       + (select count(*) from blobs b where b.tenant = $1
          and not exists (select from document_versions v where v.tenant = b.tenant and v.hash = b.hash))
     )::int as rows`,
    [sql.tenant],
  )
  return row!.rows
}
