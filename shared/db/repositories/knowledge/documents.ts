import type { TenantSql } from '#shared/actor/store.ts'
import type { DocumentFailure, DocumentState } from '#shared/contracts/event-map.ts'
import type { DocumentLabels, DocumentSource, DocumentSummary } from '#shared/contracts/knowledge.ts'

import { storableJson, storableText } from '../../storable.ts'
import type { PageMark } from '../conversations.ts'

export interface VersionRow {
  readonly document: string
  readonly version: number
  /** Names this version in the index. */
  readonly segment: number
  readonly collection: string
  readonly title: string
  readonly source: DocumentSource
  readonly mime: string
  readonly name: string
  readonly hash: string | null
  readonly state: DocumentState
  readonly pagesDone: number
  readonly pagesTotal: number | null
  readonly chunks: number
  readonly liveVersion: number | null
  readonly deletedAt: number | null
  readonly recrawlMs: number | null
}

const VERSION = `
  select v.document, v.version, v.segment, d.collection, d.title, d.source, v.mime, v.name, v.hash, v.state,
    v.pages_done as "pagesDone", v.pages_total as "pagesTotal", v.chunks, d.live_version as "liveVersion",
    d.deleted_at as "deletedAt", d.recrawl_ms as "recrawlMs"
  from document_versions v join documents d on d.tenant = v.tenant and d.id = v.document`

export interface NewDocument {
  readonly id: string
  readonly collection: string
  readonly source: DocumentSource
  readonly labels: DocumentLabels
  readonly recrawlMs: number | null
  readonly by: string
}

/** Creates it, or gives one that is there (and not removed) what is said of it now. */
export async function saveDocument(
  sql: TenantSql,
  { id, collection, source, labels, recrawlMs, by }: NewDocument,
  now: number,
): Promise<void> {
  const title = labels.title === '' ? titleOf(source) : labels.title
  await sql.query(
    `insert into documents (tenant, id, collection, title, source, tags, metadata, access, recrawl_ms, created_by, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
     on conflict (tenant, id) do update set title = excluded.title, source = excluded.source, tags = excluded.tags,
       metadata = excluded.metadata, access = excluded.access, recrawl_ms = excluded.recrawl_ms, updated_at = excluded.updated_at`,
    [
      sql.tenant,
      id,
      collection,
      storableText(title),
      storableJson(source),
      labels.tags.map(storableText),
      storableJson(labels.metadata),
      labels.access.map(storableText),
      recrawlMs,
      by,
      now,
    ],
  )
}

export async function relabelDocument(
  sql: TenantSql,
  id: string,
  labels: Partial<DocumentLabels>,
  now: number,
): Promise<boolean> {
  const rows = await sql.query(
    `update documents set title = coalesce($3, title), tags = coalesce($4, tags), metadata = coalesce($5::jsonb, metadata),
       access = coalesce($6, access), updated_at = $7
     where tenant = $1 and id = $2 and deleted_at is null returning id`,
    [
      sql.tenant,
      id,
      labels.title === undefined ? null : storableText(labels.title),
      labels.tags?.map(storableText) ?? null,
      labels.metadata === undefined ? null : storableJson(labels.metadata),
      labels.access?.map(storableText) ?? null,
      now,
    ],
  )
  return rows.length === 1
}

export interface NewVersion {
  readonly hash: string | null
  readonly bytes: number
  readonly name: string
  readonly mime: string
}

export async function insertVersion(sql: TenantSql, document: string, given: NewVersion, now: number): Promise<number> {
  const [row] = await sql.query<{ version: number }>(
    'update documents set last_version = last_version + 1, updated_at = $3 where tenant = $1 and id = $2 returning last_version as version',
    [sql.tenant, document, now],
  )
  const version = row!.version
  await sql.query(
    `insert into document_versions (tenant, document, version, hash, bytes, name, mime, state, created_at, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $8)`,
    [sql.tenant, document, version, given.hash, given.bytes, storableText(given.name), storableText(given.mime), now],
  )
  return version
}

export interface VersionChange {
  readonly state?: DocumentState
  readonly cause?: DocumentFailure | null
  readonly hash?: string
  readonly bytes?: number
  readonly mime?: string
  readonly pagesDone?: number
  readonly pagesTotal?: number | null
}

export async function changeVersion(
  sql: TenantSql,
  document: string,
  version: number,
  change: VersionChange,
  now: number,
): Promise<void> {
  await sql.query(
    `update document_versions set state = coalesce($4, state),
       cause = case when $4::text is null then cause else $5::jsonb end,
       hash = coalesce($6, hash), bytes = coalesce($7, bytes), mime = coalesce($8, mime),
       pages_done = coalesce($9, pages_done), pages_total = coalesce($10, pages_total),
       changed_at = $11
     where tenant = $1 and document = $2 and version = $3`,
    [
      sql.tenant,
      document,
      version,
      change.state ?? null,
      change.cause === undefined || change.cause === null ? null : storableJson(change.cause),
      change.hash ?? null,
      change.bytes ?? null,
      change.mime ?? null,
      change.pagesDone ?? null,
      change.pagesTotal ?? null,
      now,
    ],
  )
}

/** The one switch: from the commit on this version is found, and no other of its document. False when it was removed meanwhile. */
export async function switchVersion(sql: TenantSql, document: string, version: number, now: number): Promise<boolean> {
  const rows = await sql.query(
    `update documents d set live_version = v.version, live_segment = v.segment, mime = v.mime, updated_at = $4
     from document_versions v
     where d.tenant = $1 and d.id = $2 and v.tenant = d.tenant and v.document = d.id and v.version = $3
       and d.deleted_at is null and (d.live_version is null or d.live_version <= v.version) returning d.id`,
    [sql.tenant, document, version, now],
  )
  return rows.length === 1
}

export async function versionOf(sql: TenantSql, document: string, version: number): Promise<VersionRow | null> {
  const [row] = await sql.query<VersionRow>(`${VERSION} where v.tenant = $1 and v.document = $2 and v.version = $3`, [
    sql.tenant,
    document,
    version,
  ])
  return row ?? null
}

/** The last one of a document that is not removed. */
export async function latestVersion(sql: TenantSql, document: string): Promise<VersionRow | null> {
  const [row] = await sql.query<VersionRow>(
    `${VERSION} where v.tenant = $1 and v.document = $2 and d.deleted_at is null order by v.version desc limit 1`,
    [sql.tenant, document],
  )
  return row ?? null
}

/** A document of this collection whose last version has this content, unless that failed. */
export async function documentWithContent(
  sql: TenantSql,
  collection: string,
  hash: string,
): Promise<{ id: string; version: number } | null> {
  const [row] = await sql.query<{ id: string; version: number }>(
    `select d.id, v.version from document_versions v join documents d on d.tenant = v.tenant and d.id = v.document
     where v.tenant = $1 and v.hash = $2 and d.collection = $3 and d.deleted_at is null
       and v.version = d.last_version and v.state not in ('failed', 'cancelled') order by d.created_at limit 1`,
    [sql.tenant, hash, collection],
  )
  return row ?? null
}

/** Hides it from everybody at once. Null when there is none, or it was removed before. */
export async function hideDocument(
  sql: TenantSql,
  id: string,
  now: number,
): Promise<{ collection: string; title: string } | null> {
  const [row] = await sql.query<{ collection: string; title: string }>(
    `update documents set deleted_at = $3, live_version = null, live_segment = null, updated_at = $3
     where tenant = $1 and id = $2 and deleted_at is null returning collection, title`,
    [sql.tenant, id, now],
  )
  return row ?? null
}

const SUMMARY = `
  select d.id, d.collection, d.title, d.source, coalesce(nullif(v.mime, ''), d.mime) as mime, d.tags, d.metadata, d.access,
    v.state, v.version, d.live_version as "liveVersion", v.pages_done as "pagesDone", v.pages_total as "pagesTotal", v.chunks,
    v.tokens, v.bytes::float8 as bytes, v.language, v.cause as error, d.created_at as "createdAt", d.updated_at as "updatedAt"
  from documents d join document_versions v on v.tenant = d.tenant and v.document = d.id and v.version = d.last_version
  where d.tenant = $1 and d.deleted_at is null and (d.access = '{}' or d.access && $2::text[] or $3)`

/** Whose documents are asked for: `reads` are the reader's `user:…` and `role:…`; staff see all. */
export interface Reader {
  readonly reads: readonly string[]
  readonly staff: boolean
}

export async function documentSummary(sql: TenantSql, id: string, reader: Reader): Promise<DocumentSummary | null> {
  const [row] = await sql.query<DocumentSummary>(`${SUMMARY} and d.id = $4`, [
    sql.tenant,
    reader.reads,
    reader.staff,
    id,
  ])
  return row ?? null
}

export function listDocuments(
  sql: TenantSql,
  reader: Reader,
  {
    collection,
    limit,
    after,
  }: { readonly collection: string | null; readonly limit: number; readonly after?: PageMark },
): Promise<DocumentSummary[]> {
  return sql.query<DocumentSummary>(
    `${SUMMARY} and ($4::text is null or d.collection = $4) and ($5::bigint is null or (d.created_at, d.id) < ($5, $6))
     order by d.created_at desc, d.id desc limit $7`,
    [sql.tenant, reader.reads, reader.staff, collection, after?.at ?? null, after?.id ?? '', limit],
  )
}

export async function documentsOf(
  sql: TenantSql,
  collection: string,
): Promise<{ id: string; version: number; mime: string; name: string; hash: string }[]> {
  return sql.query(
    `select d.id, v.version, v.mime, v.name, v.hash from documents d
       join document_versions v on v.tenant = d.tenant and v.document = d.id and v.version = d.live_version
     where d.tenant = $1 and d.collection = $2 and d.deleted_at is null order by d.created_at, d.id`,
    [sql.tenant, collection],
  )
}

/** What a document is called whose sender gave it no title. */
export function titleOf(source: DocumentSource): string {
  if (source.kind === 'upload') return source.name.replace(/\.[a-z0-9]{1,5}$/i, '')
  const { hostname, pathname } = new URL(source.url)
  return `${hostname}${pathname === '/' ? '' : pathname}`
}

/** An address was read and says what it said before: there is no other version, and its time begins anew. */
export async function dropUnchanged(sql: TenantSql, document: string, version: number, now: number): Promise<void> {
  await sql.query('delete from document_versions where tenant = $1 and document = $2 and version = $3', [
    sql.tenant,
    document,
    version,
  ])
  await sql.query(
    `with back as (update documents set last_version = $3 - 1 where tenant = $1 and id = $2 and last_version = $3)
     update document_versions set changed_at = $4 where tenant = $1 and document = $2 and version = $3 - 1`,
    [sql.tenant, document, version, now],
  )
}

const RECRAWLED = `
  from documents d join document_versions v on v.tenant = d.tenant and v.document = d.id and v.version = d.last_version
  where d.tenant = $1 and d.deleted_at is null and d.recrawl_ms is not null and d.source ->> 'kind' = 'url'
    and v.state in ('ready', 'failed')`

/** Addresses whose time has come to be read again. */
export async function dueAddresses(sql: TenantSql, now: number, limit: number): Promise<{ id: string; url: string }[]> {
  return sql.query(
    `select d.id, d.source ->> 'url' as url ${RECRAWLED} and v.changed_at + d.recrawl_ms <= $2
     order by v.changed_at + d.recrawl_ms, d.id limit $3`,
    [sql.tenant, now, limit],
  )
}

/** When the next one's comes; null: none is read again. */
export async function nextAddress(sql: TenantSql): Promise<number | null> {
  const [row] = await sql.query<{ at: number | null }>(`select min(v.changed_at + d.recrawl_ms) as at ${RECRAWLED}`, [
    sql.tenant,
  ])
  return row?.at ?? null
}
