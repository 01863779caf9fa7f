import type { TenantSql } from '#shared/actor/store.ts'

import { storableText } from '../../storable.ts'

/** A chunk as it is kept; its place in the index is (segment, ordinal). */
export interface ChunkRow {
  readonly ordinal: number
  readonly kind: string
  /** Of the canonical text, UTF-16 code units. */
  readonly begins: number
  readonly ends: number
  readonly text: string
  readonly headings: readonly string[]
  readonly header: string
  readonly firstPage: number
  readonly lastPage: number
  readonly boxes: readonly unknown[]
  readonly language: string
  readonly tokens: number
  /** Words as the ranking counts them. */
  readonly length: number
  readonly parent: number | null
}

export interface Segment {
  readonly segment: number
  readonly document: string
  readonly version: number
  readonly collection: string
}

/** Rows of one statement. */
const BATCH = 200

/** Writing them again is harmless. */
export async function saveChunks(
  sql: TenantSql,
  { segment, document, version, collection }: Segment,
  chunks: readonly ChunkRow[],
): Promise<void> {
  for (let at = 0; at < chunks.length; at += BATCH) {
    const rows = chunks.slice(at, at + BATCH).map((chunk) => ({
      ...chunk,
      text: storableText(chunk.text),
      header: storableText(chunk.header),
      headings: chunk.headings.map(storableText),
    }))
    await sql.query(
      `insert into chunks (tenant, segment, document, version, collection, ordinal, kind, begins, ends, text, headings, header,
         first_page, last_page, boxes, language, tokens, length, parent)
       select $1, $2, $3, $4, $5, c.ordinal, c.kind, c.begins, c.ends, c.text, array(select json_array_elements_text(c.headings)),
         c.header, c."firstPage", c."lastPage", c.boxes, c.language, c.tokens, c.length, c.parent
       from json_to_recordset($6::json) as c(ordinal int, kind text, begins int, ends int, text text, headings json,
         header text, "firstPage" int, "lastPage" int, boxes json, language text, tokens int, length real, parent int)
       on conflict (tenant, segment, ordinal) do nothing`,
      [sql.tenant, segment, document, version, collection, JSON.stringify(rows)],
    )
  }
}

/** In which chunks a term stands, how often (weighted), and how long those are. */
export interface Posting {
  readonly term: string
  readonly ordinals: readonly number[]
  readonly tfs: readonly number[]
  readonly lengths: readonly number[]
}

const POSTINGS_BATCH = 2_000

export async function savePostings(
  sql: TenantSql,
  { segment, collection }: Segment,
  postings: readonly Posting[],
): Promise<void> {
  for (let at = 0; at < postings.length; at += POSTINGS_BATCH) {
    const batch = postings.slice(at, at + POSTINGS_BATCH)
    await sql.query(
      `insert into postings (tenant, collection, term, segment, ordinals, tfs, lengths)
       select $1, $2, p.term, $3, p.ordinals::int[], p.tfs::real[], p.lengths::real[]
       from unnest($4::text[], $5::text[], $6::text[], $7::text[]) as p(term, ordinals, tfs, lengths)
       on conflict (tenant, collection, term, segment) do nothing`,
      [
        sql.tenant,
        collection,
        segment,
        batch.map(({ term }) => storableText(term)),
        batch.map(({ ordinals }) => `{${ordinals.join()}}`),
        batch.map(({ tfs }) => `{${tfs.join()}}`),
        batch.map(({ lengths }) => `{${lengths.join()}}`),
      ],
    )
  }
}

/** What the version counts in the statistics of its collection. */
export async function closeSegment(
  sql: TenantSql,
  { document, version }: Segment,
  counts: {
    readonly chunks: number
    readonly length: number
    readonly tokens: number
    /** Of the chunks, the one of most of the text first. */
    readonly languages: readonly string[]
  },
): Promise<void> {
  await sql.query(
    `update document_versions set chunks = $4, length = $5, tokens = $6, languages = $7::text[], language = coalesce(($7::text[])[1], '')
     where tenant = $1 and document = $2 and version = $3`,
    [sql.tenant, document, version, counts.chunks, counts.length, counts.tokens, counts.languages],
  )
}

/** Removes what the index holds of a version. Returns how many chunks there were. */
export async function dropSegment(sql: TenantSql, segment: number): Promise<number> {
  await sql.query('delete from postings where tenant = $1 and segment = $2', [sql.tenant, segment])
  const rows = await sql.query('delete from chunks where tenant = $1 and segment = $2 returning ordinal', [
    sql.tenant,
    segment,
  ])
  return rows.length
}

const CHUNK = `ordinal, kind, begins, ends, text, headings, header, first_page as "firstPage", last_page as "lastPage", boxes,
  language, tokens, length, parent`

export function chunksOfSegment(sql: TenantSql, segment: number, from: number, limit: number): Promise<ChunkRow[]> {
  return sql.query<ChunkRow>(
    `select ${CHUNK} from chunks where tenant = $1 and segment = $2 and ordinal >= $3 order by ordinal limit $4`,
    [sql.tenant, segment, from, limit],
  )
}

/** Of a version that is found: the text to be embedded, in batches. */
export function textsOfSegment(
  sql: TenantSql,
  segment: number,
  from: number,
  limit: number,
): Promise<Pick<ChunkRow, 'ordinal' | 'text' | 'headings' | 'header' | 'language'>[]> {
  return sql.query(
    'select ordinal, text, headings, header, language from chunks where tenant = $1 and segment = $2 and ordinal >= $3 order by ordinal limit $4',
    [sql.tenant, segment, from, limit],
  )
}
