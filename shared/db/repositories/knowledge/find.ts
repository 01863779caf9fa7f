import type { TenantSql } from '#shared/actor/store.ts'

/** Which documents a search may look at: decided before anything is ranked, and again when passages are loaded. */
export interface FindScope {
  /** Empty: all of the tenant. */
  readonly collections: readonly string[]
  readonly reads: readonly string[]
  readonly staff: boolean
  readonly tags: readonly string[] | null
  readonly metadata: Readonly<Record<string, string>> | null
  readonly documents: readonly string[] | null
}

export interface LiveSegment {
  readonly segment: number
  readonly collection: string
  readonly chunks: number
}

const LIVE = `
  select d.live_segment as segment, d.collection, v.chunks, v.length
  from documents d join document_versions v on v.tenant = d.tenant and v.document = d.id and v.version = d.live_version
  where d.tenant = $1 and d.deleted_at is null and d.live_segment is not null
    and ($2::text[] = '{}' or d.collection = any($2)) and (d.access = '{}' or d.access && $3::text[] or $4)
    and ($5::text[] is null or d.tags && $5) and ($6::jsonb is null or d.metadata @> $6)
    and ($7::text[] is null or d.id = any($7))`

function scopeValues(sql: TenantSql, scope: FindScope): unknown[] {
  return [
    sql.tenant,
    scope.collections,
    scope.reads,
    scope.staff,
    scope.tags,
    scope.metadata === null ? null : JSON.stringify(scope.metadata),
    scope.documents,
  ]
}

/** What may be found, by segment. */
export function liveSegments(sql: TenantSql, scope: FindScope): Promise<LiveSegment[]> {
  return sql.query<LiveSegment>(`select segment, collection, chunks from (${LIVE}) live`, scopeValues(sql, scope))
}

export interface Found {
  readonly segment: number
  readonly ordinal: number
  readonly score: number
}

export interface FoundByTerms {
  readonly hits: readonly Found[]
  /** How many chunks hold a term; of those asked for that stand somewhere. */
  readonly frequencies: Readonly<Record<string, number>>
  /** Chunks that may be found. */
  readonly total: number
}

const WITH_LIVE = `
  with live as materialized (${LIVE}),
  size as materialized (
    select coalesce(sum(chunks), 0)::float8 as total, coalesce(sum(length) / nullif(sum(chunks), 0), 1)::float8 as average from live)`
/** Postings of the terms, a row for each segment. */
const ASKED = `
  from postings p join live on live.segment = p.segment and live.collection = p.collection
  where p.tenant = $1 and p.term = any($8) and ($2::text[] = '{}' or p.collection = any($2))`
const COUNTED = `(select coalesce(json_object_agg(term, df), '{}') from found) as frequencies, (select total from size) as total`

/**
 * Real BM25 (Robertson and Zaragoza, 2009) in one statement: frequencies are counted over what this reader may find, so that no
 * statistics can be outdated, and none can tell of documents that are hidden from somebody.
 */
export async function findByTerms(
  sql: TenantSql,
  scope: FindScope,
  terms: readonly { readonly term: string; readonly weight: number }[],
  { limit, k1, b }: { readonly limit: number; readonly k1: number; readonly b: number },
): Promise<FoundByTerms> {
  if (terms.length === 0) return { hits: [], ...(await countTerms(sql, scope, [])) }
  const [row] = await sql.query<{
    hits: [number, number, number][] | null
    frequencies: Record<string, number>
    total: number
  }>(
    `${WITH_LIVE},
     asked as materialized (select p.term, p.segment, p.ordinals, p.tfs, p.lengths ${ASKED}),
     found as materialized (select term, sum(cardinality(ordinals))::float8 as df from asked group by term),
     weighed as (
       select q.term, q.weight * ln(1 + (total - df + 0.5) / (df + 0.5)) as weight
       from unnest($8::text[], $9::float8[]) as q(term, weight) join found using (term) cross join size),
     best as (
       select segment, ordinal, sum(weight * tf * ($11::float8 + 1) / (tf + $11::float8 * (1 - $12::float8 + $12::float8 * length / average))) as score
       from asked join weighed using (term) cross join size
         cross join lateral unnest(ordinals, tfs, lengths) as u(ordinal, tf, length)
       group by segment, ordinal order by score desc, segment, ordinal limit $10)
     select (select json_agg(json_build_array(segment, ordinal, score) order by score desc, segment, ordinal) from best) as hits, ${COUNTED}`,
    [...scopeValues(sql, scope), terms.map(({ term }) => term), terms.map(({ weight }) => weight), limit, k1, b],
  )
  const hits = (row!.hits ?? []).map(([segment, ordinal, score]) => ({ segment, ordinal, score }))
  return { hits, frequencies: row!.frequencies, total: row!.total }
}

export async function countTerms(
  sql: TenantSql,
  scope: FindScope,
  terms: readonly string[],
): Promise<Pick<FoundByTerms, 'frequencies' | 'total'>> {
  const [row] = await sql.query<Pick<FoundByTerms, 'frequencies' | 'total'>>(
    `${WITH_LIVE}, found as (select p.term, sum(cardinality(p.ordinals))::float8 as df ${ASKED} group by p.term) select ${COUNTED}`,
    [...scopeValues(sql, scope), terms],
  )
  return row!
}

export interface FoundChunk {
  readonly segment: number
  readonly ordinal: number
  readonly documentId: string
  readonly version: number
  readonly collection: string
  readonly title: string
  readonly headings: readonly string[]
  readonly header: string
  readonly text: string
  readonly start: number
  readonly end: number
  readonly pages: readonly [number, number]
  readonly language: string
  readonly parent: number | null
}

/** Those of the chunks that this reader may still find; in no order. */
export async function loadFound(
  sql: TenantSql,
  scope: FindScope,
  ids: readonly { readonly segment: number; readonly ordinal: number }[],
): Promise<FoundChunk[]> {
  const rows = await sql.query<Omit<FoundChunk, 'pages'> & { readonly firstPage: number; readonly lastPage: number }>(
    `select c.segment, c.ordinal, c.document as "documentId", c.version, c.collection, d.title, c.headings, c.header, c.text,
       c.begins as start, c.ends as "end", c.first_page as "firstPage", c.last_page as "lastPage", c.language, c.parent
     from unnest($8::bigint[], $9::int[]) as asked(segment, ordinal)
       join chunks c on c.tenant = $1 and c.segment = asked.segment and c.ordinal = asked.ordinal
       join documents d on d.tenant = c.tenant and d.id = c.document
     where exists (select from (${LIVE} and d.id = c.document) live where live.segment = c.segment)`,
    [...scopeValues(sql, scope), ids.map(({ segment }) => segment), ids.map(({ ordinal }) => ordinal)],
  )
  return rows.map(({ firstPage, lastPage, ...row }) => ({ ...row, pages: [firstPage, lastPage] as const }))
}

/** The larger passages that chunks belong to, as ranges of the canonical text. */
export function parentRanges(
  sql: TenantSql,
  chunks: readonly { readonly segment: number; readonly parent: number }[],
): Promise<{ segment: number; parent: number; start: number; end: number }[]> {
  return sql.query(
    `select c.segment, c.parent, min(c.begins) as start, max(c.ends) as "end"
     from (select distinct * from unnest($2::bigint[], $3::int[]) as u(segment, parent)) asked
       join chunks c on c.tenant = $1 and c.segment = asked.segment and c.parent = asked.parent
     group by c.segment, c.parent`,
    [sql.tenant, chunks.map(({ segment }) => segment), chunks.map(({ parent }) => parent)],
  )
}
