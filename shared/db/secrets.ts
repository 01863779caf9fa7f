/**
 * Tokens and secrets of tenants, stored sealed. Each tenant has data keys (the newest seals, all open), sealed with a
 * master key of the configuration (the first seals, all open). So a master key is exchanged by `rewrap`, without touching
 * a secret, and a data key by `rotate`; deleting a tenant's data keys makes its secrets unreadable for ever. Opened keys
 * are not kept: the row is read in the same transaction each time, so that one which was rolled back never seals anything.
 */
import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { keyIdOf, newKey, open, seal } from './envelope.ts'
import type { Key } from './envelope.ts'

export const MAX_SECRET_BYTES = 65_536

export class Secrets {
  readonly #masters: readonly Key[]

  /** @param masters the first one seals; the others are former ones that still open */
  constructor(masters: readonly [Key, ...Key[]]) {
    this.#masters = masters
  }

  /** Seals a text for a field of this tenant, for a column of its own. `get` and `put` are for secrets by name. */
  async seal(sql: TenantSql, field: string, text: string): Promise<string> {
    const plain = Buffer.from(text)
    if (plain.length > MAX_SECRET_BYTES) {
      throw new WaggleError('TOO_LARGE', { bytes: plain.length, limit: MAX_SECRET_BYTES }, { expected: true })
    }
    return seal(await this.#newestKey(sql), plain, purposeOf(sql.tenant, field))
  }

  /** Throws DECRYPT when it was not sealed for this field of this tenant, or its key is gone. */
  async open(sql: TenantSql, field: string, sealed: string): Promise<string> {
    const key = await this.#keyById(sql, keyIdOf(sealed))
    return open(key, sealed, purposeOf(sql.tenant, field)).toString('utf8')
  }

  async put(sql: TenantSql, id: string, text: string): Promise<void> {
    await sql.query(
      `insert into secrets (tenant, id, sealed) values ($1, $2, $3)
       on conflict (tenant, id) do update set sealed = excluded.sealed, changed_at = now()`,
      [sql.tenant, id, await this.seal(sql, secretField(id), text)],
    )
  }

  async get(sql: TenantSql, id: string): Promise<string | null> {
    const [row] = await sql.query<{ sealed: string }>('select sealed from secrets where tenant = $1 and id = $2', [
      sql.tenant,
      id,
    ])
    return row === undefined ? null : this.open(sql, secretField(id), row.sealed)
  }

  /** Names and times; never what they hold. */
  async list(sql: TenantSql): Promise<{ id: string; createdAt: number; changedAt: number }[]> {
    return sql.query(
      `select id, created_at as "createdAt", changed_at as "changedAt" from secrets where tenant = $1 order by id`,
      [sql.tenant],
    )
  }

  async remove(sql: TenantSql, id: string): Promise<boolean> {
    const rows = await sql.query('delete from secrets where tenant = $1 and id = $2 returning id', [sql.tenant, id])
    return rows.length === 1
  }

  /** A new data key for the tenant, and every secret sealed with it. The former keys stay for sealed columns elsewhere. */
  async rotate(sql: TenantSql): Promise<void> {
    await sql.query('select pg_advisory_xact_lock(hashtext($1))', [`data key ${sql.tenant}`])
    const rows = await sql.query<{ id: string; sealed: string }>(
      'select id, sealed from secrets where tenant = $1 for update',
      [sql.tenant],
    )
    await this.#createKey(sql)
    for (const { id, sealed } of rows) {
      const again = await this.seal(sql, secretField(id), await this.open(sql, secretField(id), sealed))
      await sql.query('update secrets set sealed = $3 where tenant = $1 and id = $2', [sql.tenant, id, again])
    }
  }

  /** Seals the tenant's data keys with the first master key, after it was exchanged. Returns how many it changed. */
  async rewrap(sql: TenantSql): Promise<number> {
    const rows = await sql.query<{ id: number; wrapped: string }>(
      'select id, wrapped from data_keys where tenant = $1 for update',
      [sql.tenant],
    )
    let changed = 0
    for (const { id, wrapped } of rows) {
      if (keyIdOf(wrapped) === this.#sealingMaster().id) continue
      const again = this.#wrap(sql.tenant, this.#unwrap(sql.tenant, id, wrapped))
      await sql.query('update data_keys set wrapped = $3 where tenant = $1 and id = $2', [sql.tenant, id, again])
      changed += 1
    }
    return changed
  }

  async #newestKey(sql: TenantSql): Promise<Key> {
    const [row] = await sql.query<{ id: number; wrapped: string }>(
      'select id, wrapped from data_keys where tenant = $1 order by id desc limit 1',
      [sql.tenant],
    )
    if (row !== undefined) return this.#unwrap(sql.tenant, row.id, row.wrapped)
    // The first secret of a tenant; two at once must not make two keys of the same id.
    await sql.query('select pg_advisory_xact_lock(hashtext($1))', [`data key ${sql.tenant}`])
    const [made] = await sql.query<{ id: number; wrapped: string }>(
      'select id, wrapped from data_keys where tenant = $1 order by id desc limit 1',
      [sql.tenant],
    )
    return made === undefined ? this.#createKey(sql) : this.#unwrap(sql.tenant, made.id, made.wrapped)
  }

  async #keyById(sql: TenantSql, keyId: string): Promise<Key> {
    const id = Number(keyId)
    const [row] = Number.isSafeInteger(id)
      ? await sql.query<{ wrapped: string }>('select wrapped from data_keys where tenant = $1 and id = $2', [
          sql.tenant,
          id,
        ])
      : []
    if (row === undefined) throw new WaggleError('DECRYPT', { reason: `The tenant has no data key ${keyId}.` })
    return this.#unwrap(sql.tenant, id, row.wrapped)
  }

  /** Under the lock of the tenant's data keys. */
  async #createKey(sql: TenantSql): Promise<Key> {
    const [row] = await sql.query<{ next: number }>(
      'select coalesce(max(id), 0) + 1 as next from data_keys where tenant = $1',
      [sql.tenant],
    )
    const key = newKey(String(row?.next ?? 1))
    await sql.query('insert into data_keys (tenant, id, wrapped) values ($1, $2, $3)', [
      sql.tenant,
      Number(key.id),
      this.#wrap(sql.tenant, key),
    ])
    return key
  }

  #wrap(tenant: string, key: Key): string {
    return seal(this.#sealingMaster(), key.bytes, dataKeyPurpose(tenant, key.id))
  }

  #unwrap(tenant: string, id: number, wrapped: string): Key {
    const masterId = keyIdOf(wrapped)
    const master = this.#masters.find((candidate) => candidate.id === masterId)
    if (master === undefined)
      throw new WaggleError('DECRYPT', { reason: `The master key ${masterId} is not configured.` })
    return { id: String(id), bytes: open(master, wrapped, dataKeyPurpose(tenant, String(id))) }
  }

  #sealingMaster(): Key {
    const [first] = this.#masters
    if (first === undefined) throw new WaggleError('CONFIG', { reason: 'No master key is configured.' })
    return first
  }
}

function purposeOf(tenant: string, field: string): string {
  return `${tenant}\n${field}`
}

function dataKeyPurpose(tenant: string, id: string): string {
  return `${tenant}\ndata key ${id}`
}

function secretField(id: string): string {
  return `secret ${id}`
}
