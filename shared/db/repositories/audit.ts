import type { TenantSql } from '#shared/actor/store.ts'
import { newId } from '#shared/lib/ids.ts'

import { storableJson, storableText } from '../storable.ts'
import { MAX_PAGE } from './conversations.ts'
import type { PageMark } from './conversations.ts'

export interface AuditEntry {
  readonly id: string
  readonly at: number
  readonly principal: string
  /** noun.verb */
  readonly action: string
  /** What it was done to. */
  readonly subject: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Adds an entry. Nothing changes or removes one: the role has no right to. */
export async function appendAudit(
  sql: TenantSql,
  entry: Pick<AuditEntry, 'principal' | 'action' | 'subject'> & { readonly details?: AuditEntry['details'] },
): Promise<string> {
  const id = newId()
  await sql.query(
    'insert into audit_log (tenant, id, principal, action, subject, details) values ($1, $2, $3, $4, $5, $6)',
    [sql.tenant, id, entry.principal, entry.action, storableText(entry.subject), storableJson(entry.details ?? {})],
  )
  return id
}

/** The newest first. */
export async function listAudit(
  sql: TenantSql,
  options: { readonly action?: string; readonly limit?: number; readonly after?: PageMark } = {},
): Promise<AuditEntry[]> {
  const { action = null, limit = MAX_PAGE, after } = options
  return sql.query<AuditEntry>(
    `select id, at, principal, action, subject, details from audit_log
     where tenant = $1 and ($2::text is null or action = $2)
       and ($3::float8 is null or (at, id) < (to_timestamp($3 / 1000), $4))
     order by at desc, id desc limit $5`,
    [sql.tenant, action, after?.at ?? null, after?.id ?? '', Math.min(limit, MAX_PAGE)],
  )
}
