import type { TenantSql } from '#shared/actor/store.ts'
import { ControlSettings } from '#shared/contracts/control.ts'
import { ownTenant } from '#shared/db/repositories/tenants.ts'
import { userById } from '#shared/db/repositories/users.ts'

/** What the tenant has set of timers and notices; defaults for the rest. */
export async function readSettings(sql: TenantSql): Promise<ControlSettings> {
  return ControlSettings.parse((await ownTenant(sql))?.settings ?? {})
}

/** `{name}` is the person's name, or their id where none is known. */
export async function withName(sql: TenantSql, notice: string, user: string): Promise<string> {
  if (!notice.includes('{name}')) return notice
  const name = (await userById(sql, user))?.name ?? user
  return notice.replaceAll('{name}', () => name)
}
