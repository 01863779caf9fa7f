import type { TenantSql } from '#shared/actor/store.ts'
import type { GoldenQuestion, GoldenRun } from '#shared/contracts/knowledge.ts'

import { storableText } from '../../storable.ts'

const RUNS_SHOWN = 50

/** These and no others from now on. */
export async function setGoldenQuestions(
  sql: TenantSql,
  collection: string,
  questions: readonly GoldenQuestion[],
  now: number,
): Promise<void> {
  await sql.query('delete from golden_questions where tenant = $1 and collection = $2', [sql.tenant, collection])
  for (const { id, question, documents, quote } of questions)
    await sql.query(
      `insert into golden_questions (tenant, collection, id, question, documents, quote, created_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [sql.tenant, collection, id, storableText(question), documents, storableText(quote), now],
    )
}

export function goldenQuestions(sql: TenantSql, collection: string): Promise<GoldenQuestion[]> {
  return sql.query<GoldenQuestion>(
    'select id, question, documents, quote from golden_questions where tenant = $1 and collection = $2 order by id',
    [sql.tenant, collection],
  )
}

export async function keepGoldenRun(sql: TenantSql, collection: string, run: GoldenRun): Promise<void> {
  await sql.query(
    `insert into golden_runs (tenant, collection, id, generation, questions, recall, mrr, ndcg, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [sql.tenant, collection, run.id, run.generation, run.questions, run.recall, run.mrr, run.ndcg, run.at],
  )
}

export function goldenRuns(sql: TenantSql, collection: string): Promise<GoldenRun[]> {
  return sql.query<GoldenRun>(
    `select id, generation, questions, recall, mrr, ndcg, at from golden_runs
     where tenant = $1 and collection = $2 order by at desc, id desc limit $3`,
    [sql.tenant, collection, RUNS_SHOWN],
  )
}
