import { createHash, randomBytes } from 'node:crypto'

import type { TenantSql } from '#shared/actor/store.ts'
import { newId } from '#shared/lib/ids.ts'

import type { Database } from '../database.ts'
import { storableText } from '../storable.ts'

export interface ApiKey {
  readonly id: string
  readonly userId: string
  readonly name: string
  /** Its first characters, to tell keys apart. */
  readonly prefix: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
  readonly lastUsedAt: number | null
}

/** Whose key it is. */
export interface ApiKeyOwner {
  readonly tenant: string
  readonly id: string
  readonly userId: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
}

const COLUMNS = `id, user_id as "userId", name, prefix, roles, scopes, created_at as "createdAt",
  expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt"`

const KEY_BYTES = 32
const PREFIX_CHARS = 10

/** The key is returned once and never stored: it is random, so its plain SHA-256 is as good as a slow hash. */
export async function createApiKey(
  sql: TenantSql,
  options: {
    readonly userId: string
    readonly name: string
    readonly roles?: readonly string[]
    readonly scopes?: readonly string[]
    readonly expiresAt?: number | null
    /** For a seeded tenant whose key is in its documentation. */
    readonly key?: string
  },
): Promise<{ id: string; key: string }> {
  const id = newId()
  const key = options.key ?? `wag_${randomBytes(KEY_BYTES).toString('base64url')}`
  await sql.query(
    `insert into api_keys (tenant, id, user_id, name, hash, prefix, roles, scopes, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000))`,
    [
      sql.tenant,
      id,
      options.userId,
      storableText(options.name),
      hashOf(key),
      key.slice(0, PREFIX_CHARS),
      options.roles ?? [],
      options.scopes ?? [],
      options.expiresAt ?? null,
    ],
  )
  return { id, key }
}

export async function listApiKeys(sql: TenantSql): Promise<ApiKey[]> {
  return sql.query<ApiKey>(`select ${COLUMNS} from api_keys where tenant = $1 order by created_at, id`, [sql.tenant])
}

/** False when there is no such key or it was revoked before. */
export async function revokeApiKey(sql: TenantSql, id: string): Promise<boolean> {
  const rows = await sql.query(
    'update api_keys set revoked_at = now() where tenant = $1 and id = $2 and revoked_at is null returning id',
    [sql.tenant, id],
  )
  return rows.length === 1
}

/**
 * Asked before a tenant is known, hence of the database and not of a transaction. Null when nobody's key is that, or when
 * it is revoked or expired, or its user or tenant is disabled.
 */
export function apiKeyOwner(database: Database, key: string): Promise<ApiKeyOwner | null> {
  return apiKeyOwnerByHash(database, hashOf(key))
}

/** The same for whoever was only told the SHA-256 of the key. */
export async function apiKeyOwnerByHash(database: Database, hash: Uint8Array): Promise<ApiKeyOwner | null> {
  const [row] = await database.lookup<ApiKeyOwner>(
    'select tenant, id, user_id as "userId", roles, scopes from runtime_api_key($1)',
    [hash],
  )
  return row ?? null
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
