import type { TenantSql } from '#shared/actor/store.ts'

import { storableText } from '../../storable.ts'

export interface CuratedRow {
  readonly id: string
  readonly collection: string
  readonly question: string
  readonly answer: string
  /** Terms of the question, as the ranking reads them. */
  readonly terms: readonly string[]
  readonly hits: number
  readonly createdBy: string
  readonly updatedAt: number
}

const COLUMNS = `id, collection, question, answer, terms, hits, created_by as "createdBy", updated_at as "updatedAt"`
const MAX_CANDIDATES = 50

export async function saveCurated(
  sql: TenantSql,
  { collection, id, question, answer, terms, createdBy }: Omit<CuratedRow, 'hits' | 'updatedAt'>,
  now: number,
): Promise<void> {
  await sql.query(
    `insert into curated_answers (tenant, collection, id, question, answer, terms, created_by, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
     on conflict (tenant, collection, id) do update set question = excluded.question, answer = excluded.answer,
       terms = excluded.terms, updated_at = excluded.updated_at`,
    [sql.tenant, collection, id, storableText(question), storableText(answer), terms.map(storableText), createdBy, now],
  )
}

export function listCurated(sql: TenantSql, collection: string): Promise<CuratedRow[]> {
  return sql.query<CuratedRow>(
    `select ${COLUMNS} from curated_answers where tenant = $1 and collection = $2 order by updated_at desc, id`,
    [sql.tenant, collection],
  )
}

/** Those that share terms with the question, the most first. */
export function curatedNear(
  sql: TenantSql,
  collections: readonly string[],
  terms: readonly string[],
): Promise<CuratedRow[]> {
  return sql.query<CuratedRow>(
    `select ${COLUMNS} from curated_answers
     where tenant = $1 and ($2::text[] = '{}' or collection = any($2)) and terms && $3::text[]
     order by cardinality(array(select unnest(terms) intersect select unnest($3::text[]))) desc, id limit $4`,
    [sql.tenant, collections, terms, MAX_CANDIDATES],
  )
}

export async function countHit(sql: TenantSql, collection: string, id: string): Promise<void> {
  await sql.query('update curated_answers set hits = hits + 1 where tenant = $1 and collection = $2 and id = $3', [
    sql.tenant,
    collection,
    id,
  ])
}

export async function removeCurated(sql: TenantSql, collection: string, id: string): Promise<boolean> {
  const rows = await sql.query(
    'delete from curated_answers where tenant = $1 and collection = $2 and id = $3 returning id',
    [sql.tenant, collection, id],
  )
  return rows.length === 1
}
