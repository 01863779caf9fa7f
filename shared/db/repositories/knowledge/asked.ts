import { createHash } from 'node:crypto'
import type { TenantSql } from '#shared/actor/store.ts'
import type { Citation } from '#shared/contracts/event-map.ts'

import { storableJson, storableText } from '../../storable.ts'
import type { PageMark } from '../conversations.ts'

export interface AskedRow {
  readonly id: string
  readonly collections: readonly string[]
  readonly question: string
  readonly answer: string
  readonly citations: readonly Citation[]
  readonly covered: boolean
  readonly at: number
}

export async function keepAsked(sql: TenantSql, by: string, row: AskedRow, took: number): Promise<void> {
  await sql.query(
    `insert into query_log (tenant, id, asked_by, collections, question, answer, citations, covered, ms, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      sql.tenant,
      row.id,
      by,
      row.collections,
      storableText(row.question),
      storableText(row.answer),
      storableJson(row.citations),
      row.covered,
      Math.round(took),
      row.at,
    ],
  )
}

export function listAsked(sql: TenantSql, by: string, limit: number, after?: PageMark): Promise<AskedRow[]> {
  return sql.query<AskedRow>(
    `select id, collections, question, answer, citations, covered, at from query_log
     where tenant = $1 and asked_by = $2 and ($3::bigint is null or (at, id) < ($3, $4)) order by at desc, id desc limit $5`,
    [sql.tenant, by, after?.at ?? null, after?.id ?? '', limit],
  )
}

export interface UnansweredRow {
  readonly id: string
  readonly question: string
  readonly times: number
  readonly coverage: number
  readonly nearest: readonly string[]
  readonly state: 'open' | 'dismissed' | 'answered'
  readonly lastAt: number
}

/** The same words asked again are counted, whoever asks. */
export async function keepUnanswered(
  sql: TenantSql,
  collection: string,
  { question, coverage, nearest }: Pick<UnansweredRow, 'question' | 'coverage' | 'nearest'>,
  now: number,
): Promise<void> {
  await sql.query(
    `insert into unanswered_questions (tenant, collection, id, question, coverage, nearest, first_at, last_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7)
     on conflict (tenant, collection, id) do update set times = unanswered_questions.times + 1, coverage = excluded.coverage,
       nearest = excluded.nearest, last_at = excluded.last_at`,
    [sql.tenant, collection, questionId(question), storableText(question), coverage, nearest.map(storableText), now],
  )
}

export function listUnanswered(
  sql: TenantSql,
  collection: string,
  limit: number,
  after?: PageMark,
): Promise<UnansweredRow[]> {
  return sql.query<UnansweredRow>(
    `select id, question, times, coverage, nearest, state, last_at as "lastAt" from unanswered_questions
     where tenant = $1 and collection = $2 and state = 'open' and ($3::bigint is null or (last_at, id) < ($3, $4))
     order by last_at desc, id desc limit $5`,
    [sql.tenant, collection, after?.at ?? null, after?.id ?? '', limit],
  )
}

export async function settleUnanswered(
  sql: TenantSql,
  collection: string,
  id: string,
  state: 'dismissed' | 'answered',
): Promise<boolean> {
  const rows = await sql.query(
    'update unanswered_questions set state = $4 where tenant = $1 and collection = $2 and id = $3 returning id',
    [sql.tenant, collection, id, state],
  )
  return rows.length === 1
}

const ID_CHARS = 32

/** One id for a question however it is spaced, cased or ended. */
export function questionId(question: string): string {
  const words = question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [question]
  return createHash('sha256').update(words.join(' ')).digest('hex').slice(0, ID_CHARS)
}
