import type { TenantSql } from '#shared/actor/store.ts'

/** Tokens, and millionths of the currency of the tenant's price table. */
export interface Spending {
  readonly tokens: number
  readonly costMicros: number
}

/** What a tenant has spent and reserved on a day (YYYY-MM-DD, UTC); its row stays ours until the transaction ends. */
export async function spentOn(sql: TenantSql, day: string): Promise<Spending> {
  const [row] = await sql.query<Spending>(
    'select tokens, cost_micros as "costMicros" from spending where tenant = $1 and day = $2 for update',
    [sql.tenant, day],
  )
  return row ?? { tokens: 0, costMicros: 0 }
}

/** Adds to it; a reservation that is settled gives back what was not used. */
export async function spend(sql: TenantSql, day: string, { tokens, costMicros }: Spending): Promise<void> {
  await sql.query(
    `insert into spending as s (tenant, day, tokens, cost_micros) values ($1, $2, $3, $4)
     on conflict (tenant, day) do update set tokens = s.tokens + $3, cost_micros = s.cost_micros + $4`,
    [sql.tenant, day, tokens, costMicros],
  )
}
