import type { TenantSql } from '#shared/actor/store.ts'

import { storableText } from '../storable.ts'

export interface User {
  readonly id: string
  readonly name: string
  readonly email: string | null
  readonly roles: readonly string[]
  readonly status: 'active' | 'disabled'
  readonly createdAt: number
}

const COLUMNS = 'id, name, email, roles, status, created_at as "createdAt"'
const MAX_LISTED = 500

export async function userById(sql: TenantSql, id: string): Promise<User | null> {
  const [row] = await sql.query<User>(`select ${COLUMNS} from users where tenant = $1 and id = $2`, [sql.tenant, id])
  return row ?? null
}

export async function listUsers(sql: TenantSql): Promise<User[]> {
  return sql.query<User>(`select ${COLUMNS} from users where tenant = $1 order by id limit ${MAX_LISTED}`, [sql.tenant])
}

export async function saveUser(
  sql: TenantSql,
  user: {
    readonly id: string
    readonly name: string
    readonly email?: string | null
    readonly roles?: readonly string[]
    readonly status?: User['status']
  },
): Promise<void> {
  await sql.query(
    `insert into users (tenant, id, name, email, roles, status) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant, id) do update set name = excluded.name, email = excluded.email, roles = excluded.roles,
       status = excluded.status`,
    [sql.tenant, user.id, storableText(user.name), user.email ?? null, user.roles ?? [], user.status ?? 'active'],
  )
}
