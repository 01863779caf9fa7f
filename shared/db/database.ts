/**
 * The database of one process: two bounded pools (the runtime's, whose limits are those of a takeover, and one for
 * everything else), migrations, and the only doors to rows: `tenant` for repositories, and `shared/db/runtime` for the
 * runtime. No connection keeps a tenant or a role beyond its transaction (PGlite is one session behind all of them).
 */
import type { Pool } from 'pg'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { DEFAULT_LIMITS } from '#shared/actor/limits.ts'

import { databaseError } from './database-error.ts'
import { migrateDown, migrateUp, migrationState } from './migrate.ts'
import { connect, openPool, runPrepared, statementName } from './pool.ts'
import { Transaction } from './transaction.ts'

export interface DatabaseOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string
  /** Connections of the runtime's pool, and again as many for everything else. */
  readonly poolSize?: number
  /** The lease of nodes: no transaction of the runtime is silent or busy for half as long. */
  readonly leaseMs?: number
  readonly name?: string
}

export const DEFAULT_POOL_SIZE = 10
/** Statements of the runtime: below half of the lease by this factor (DESIGN section 10). */
const BELOW_HALF = 0.48
const STATEMENT_TIMEOUT_MS = 30_000
const IDLE_IN_TRANSACTION_MS = 10_000
/** Any number of ours; one of upkeep at a time in a database. */
const UPKEEP_LOCK = 4_903_217_568

export class Database {
  readonly leaseMs: number
  /** For shared/db/runtime alone. */
  readonly runtimePool: Pool
  readonly #pool: Pool
  readonly #url: string
  readonly #name: string
  #closed: Promise<void> | null = null

  constructor(options: DatabaseOptions) {
    this.leaseMs = options.leaseMs ?? DEFAULT_LIMITS.leaseMs
    const fenceMs = Math.floor(this.leaseMs * BELOW_HALF)
    const { url, name = 'waggle', poolSize: size = DEFAULT_POOL_SIZE } = options
    this.#url = url
    this.#name = name
    this.runtimePool = openPool({
      url,
      size,
      name: `${name} runtime`,
      statementTimeoutMs: fenceMs,
      idleInTransactionMs: fenceMs,
      byKey: true,
    })
    this.#pool = openPool({
      url,
      size,
      name,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
    })
  }

  /** Throws DATABASE_DOWN when the server does not answer. */
  async check(): Promise<void> {
    try {
      await this.#pool.query('select 1')
    } catch (error) {
      throw databaseError(error)
    }
  }

  /** Applies the missing migrations; harmless when another process does the same. Returns their names. */
  migrate(): Promise<string[]> {
    return migrateUp(this.#pool)
  }

  migrateDown(steps: number): Promise<string[]> {
    return migrateDown(this.#pool, steps)
  }

  migrationState(): Promise<{ applied: string[]; missing: string[] }> {
    return migrationState(this.#pool)
  }

  /** A transaction of one tenant, as the unprivileged role: committed when `work` resolves, rolled back when it throws. */
  async tenant<Result>(tenant: string, work: (sql: TenantSql) => Promise<Result>): Promise<Result> {
    if (tenant === '') throw new WaggleError('TENANT_MISSING')
    const transaction = await beginTransaction(this.#pool, tenant, ENTER_TENANT, [tenant])
    let result: Result
    try {
      result = await work(transaction)
    } catch (error) {
      await transaction.rollback()
      throw error
    }
    await transaction.end([{ text: 'commit' }])
    return result
  }

  /** For what must be asked before a tenant is known: the functions of the runtime's role that say little (migration 0002). */
  async lookup<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return (await runPrepared<Row>(this.#pool, text, values)).rows
  }

  /**
   * One statement of upkeep, outside of any transaction and without a tenant, as the owner of the tables: an index that is
   * built beside running work. On a connection of its own, so that no pool has one less for minutes. The text is made by
   * the server's `format`, never put together here.
   *
   * False when another process is at its upkeep: two concurrent builds on one table wait for each other's snapshot, and so
   * would whoever waited for a lock inside the server. Hence a lock that is tried, and the caller asks again later.
   */
  async maintain(text: string, timeoutMs: number): Promise<boolean> {
    const pool = openPool({
      url: this.#url,
      size: 1,
      name: `${this.#name} upkeep`,
      statementTimeoutMs: timeoutMs,
      idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
    })
    try {
      const { rows } = await pool.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [UPKEEP_LOCK])
      if (rows[0]?.mine !== true) return false
      try {
        await pool.query(text)
      } finally {
        // On PGlite no session ends with its connection.
        await pool.query('select pg_advisory_unlock($1)', [UPKEEP_LOCK])
      }
      return true
    } catch (error) {
      throw databaseError(error)
    } finally {
      await pool.end()
    }
  }

  /** Every tenant: for the platform's own tools, never for a request. */
  tenants(): Promise<{ tenant: string; name: string; status: 'active' | 'disabled' }[]> {
    return this.lookup('select tenant, name, status from runtime_tenants()', [])
  }

  /** Waits for connections in use. Harmless twice. */
  close(): Promise<void> {
    this.#closed ??= Promise.all([this.runtimePool.end(), this.#pool.end()]).then(() => {})
    return this.#closed
  }
}

/** Opens the pools and sees that the server answers. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const database = new Database(options)
  try {
    await database.check()
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

const ENTER_TENANT = `select set_config('app.tenant', $1, true), set_config('role', 'waggle_app', true)`

/** BEGIN and one statement that sets tenant and role, in one round trip. */
export async function beginTransaction(
  pool: Pool,
  tenant: string,
  enter: string,
  values: readonly unknown[],
): Promise<Transaction> {
  const client = await connect(pool)
  const transaction = new Transaction(client, tenant)
  const [begun, entered] = await Promise.allSettled([
    transaction.send({ text: 'begin' }),
    transaction.send({ name: statementName(enter), text: enter, values: [...values] }),
  ])
  const failed = [begun, entered].find((result) => result.status === 'rejected')
  if (failed !== undefined) {
    await transaction.rollback()
    throw databaseError(failed.reason)
  }
  return transaction
}
