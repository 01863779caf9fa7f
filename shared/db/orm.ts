/**
 * MikroORM bound to a tenant's transaction: its statements run on that transaction's connection, so that they see and are
 * seen by everything else in it, are under its role and tenant, and count as pending. Without a transaction it has no
 * database at all: there is no way to use it without a tenant. It never begins, commits or rolls back; whoever opened the
 * transaction does.
 */
import { MikroORM, PostgreSqlDriver } from '@mikro-orm/postgresql'
import type { DriverException } from '@mikro-orm/core'
import type { EntityManager } from '@mikro-orm/postgresql'
import { types } from 'pg'

import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { ENTITIES } from './entities.ts'
import { Transaction } from './transaction.ts'

let orm: MikroORM | undefined

/** A new identity map over the transaction of `sql`. Flush it before the transaction ends. */
export function entityManager(sql: TenantSql): EntityManager {
  if (!(sql instanceof Transaction)) throw new WaggleError('TENANT_MISSING', { reason: 'This is not a transaction.' })
  orm ??= new MikroORM({
    driver: TenantDriver,
    entities: [...ENTITIES],
    dbName: 'of the transaction',
    driverOptions: withoutDatabase,
    ensureDatabase: false,
    // Metadata comes from the entities above; nothing is looked for on disk or kept there.
    metadataCache: { enabled: false },
    logger: () => {},
  })
  const manager = orm.em.fork()
  manager.setTransactionContext(new BoundContext(sql))
  return manager
}

/** Lets our errors through as they are: their codes decide what the runtime does. */
class TenantDriver extends PostgreSqlDriver {
  override convertException(error: Error | DriverException): DriverException {
    return error instanceof WaggleError ? (error as unknown as DriverException) : super.convertException(error)
  }
}

/** What MikroORM asks of a transaction: to run a statement. Inner transactions (savepoints) are refused. */
class BoundContext {
  readonly #transaction: Transaction
  #deferred = false

  constructor(transaction: Transaction) {
    this.#transaction = transaction
  }

  async executeQuery(query: {
    readonly sql: string
    readonly parameters: readonly unknown[]
  }): Promise<{ rows: unknown[]; numAffectedRows?: bigint }> {
    const deferred = this.#deferConstraints(query.sql)
    const sent = this.#transaction.send({ text: query.sql, values: [...query.parameters], types: { getTypeParser } })
    const [result] = await Promise.all([sent, deferred])
    const { rows, rowCount } = result
    return rowCount === null ? { rows } : { rows, numAffectedRows: BigInt(rowCount) }
  }

  /** The tables know their foreign keys, the entities do not: rows of one flush come in any order. */
  async #deferConstraints(sql: string): Promise<void> {
    if (this.#deferred || !/^(?:insert|update|delete)/i.test(sql)) return
    this.#deferred = true
    await this.#transaction.send({ text: 'set constraints all deferred' })
  }

  savepoint(): never {
    throw new WaggleError('INTERNAL', { reason: 'This transaction is not ours to divide: there are no inner ones.' })
  }
}

/** MikroORM converts times itself and wants them as text. */
const TEXT_TYPES = new Set([1082, 1114, 1184, 1186])

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (TEXT_TYPES.has(oid)) return String
  return types.getTypeParser(oid, format as 'text') as (value: string) => unknown
}

/** A dialect whose driver has no connections to give. */
const withoutDatabase = {
  createDriver: () => ({
    init: async () => {},
    acquireConnection: async () => refuseConnection(),
    beginTransaction: async () => refuseConnection(),
    commitTransaction: async () => refuseConnection(),
    rollbackTransaction: async () => refuseConnection(),
    releaseConnection: async () => {},
    destroy: async () => {},
  }),
  createQueryCompiler: () => ({}),
  createAdapter: () => ({ supportsReturning: true, supportsTransactionalDdl: true }),
  createIntrospector: () => ({}),
}

function refuseConnection(): never {
  throw new WaggleError('TENANT_MISSING')
}
