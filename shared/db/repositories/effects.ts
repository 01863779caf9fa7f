import type { EffectRow, TenantSql } from '#shared/actor/store.ts'

import { MAX_PAGE } from './conversations.ts'

/** An outside effect as its tenant sees it; the runtime writes it. */
export interface EffectView extends Omit<EffectRow, 'fresh'> {
  readonly intendedAt: number
  readonly settledAt: number | null
}

const COLUMNS = `id, run, tool, args_hash as "argsHash", repeatable, status, result, intended_at as "intendedAt",
  settled_at as "settledAt"`

export async function effectsOfRun(sql: TenantSql, run: string): Promise<EffectView[]> {
  return sql.query<EffectView>(
    `select ${COLUMNS} from effects where tenant = $1 and run = $2 order by intended_at, id limit ${MAX_PAGE}`,
    [sql.tenant, run],
  )
}

/** Those of which nobody knows whether they happened, the oldest first. */
export async function effectsInDoubt(sql: TenantSql): Promise<EffectView[]> {
  return sql.query<EffectView>(
    `select ${COLUMNS} from effects where tenant = $1 and status in ('intended', 'unknown')
     order by intended_at, id limit ${MAX_PAGE}`,
    [sql.tenant],
  )
}

/** What these runs (addresses) did outside, the newest first. */
export async function effectsOfRuns(sql: TenantSql, runs: readonly string[], limit: number): Promise<EffectView[]> {
  return sql.query<EffectView>(
    `select ${COLUMNS} from effects where tenant = $1 and run = any($2)
     order by intended_at desc, id desc limit $3`,
    [sql.tenant, runs, Math.min(limit, MAX_PAGE)],
  )
}
