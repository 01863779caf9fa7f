import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { storableJson, storableText } from '../storable.ts'

export interface Tenant {
  readonly tenant: string
  readonly name: string
  readonly status: 'active' | 'disabled'
  readonly settings: Readonly<Record<string, unknown>>
  /** Grows with each change of agents, tools, their links and guardrails. */
  readonly configVersion: number
  readonly createdAt: number
}

const COLUMNS = 'tenant, name, status, settings, config_version as "configVersion", created_at as "createdAt"'

/** The tenant of this transaction, or null when it has no row. */
export async function ownTenant(sql: TenantSql): Promise<Tenant | null> {
  const [row] = await sql.query<Tenant>(`select ${COLUMNS} from tenants where tenant = $1`, [sql.tenant])
  return row ?? null
}

/** Throws NOT_FOUND, or TENANT_DISABLED. */
export async function activeTenant(sql: TenantSql): Promise<Tenant> {
  const tenant = await ownTenant(sql)
  if (tenant === null) throw new WaggleError('NOT_FOUND', { tenant: sql.tenant })
  if (tenant.status === 'disabled') throw new WaggleError('TENANT_DISABLED', { tenant: sql.tenant })
  return tenant
}

/** Creates the tenant of this transaction, or renames it. */
export async function saveTenant(
  sql: TenantSql,
  tenant: { readonly name: string; readonly settings?: Tenant['settings'] },
): Promise<void> {
  await sql.query(
    `insert into tenants (tenant, name, settings) values ($1, $2, coalesce($3::jsonb, '{}'))
     on conflict (tenant) do update set name = excluded.name, settings = coalesce($3::jsonb, tenants.settings)`,
    [sql.tenant, storableText(tenant.name), tenant.settings === undefined ? null : storableJson(tenant.settings)],
  )
}

export async function setTenantStatus(sql: TenantSql, status: Tenant['status']): Promise<void> {
  await sql.query('update tenants set status = $2 where tenant = $1', [sql.tenant, status])
}

/** One number to compare before a copy of the configuration is used again. */
export async function configVersion(sql: TenantSql): Promise<number> {
  const [row] = await sql.query<{ version: number }>(
    'select config_version as version from tenants where tenant = $1',
    [sql.tenant],
  )
  return row?.version ?? 0
}

/** Says that agents, tools or guardrails changed. */
export async function configChanged(sql: TenantSql): Promise<void> {
  await sql.query('update tenants set config_version = config_version + 1 where tenant = $1', [sql.tenant])
}
