/**
 * The transaction of a handler that does SQL: fenced when it begins (the shared lock is held until it ends, so a takeover
 * waits for it), as the unprivileged role with the tenant set. Its step goes through the same function as every other,
 * for which the login role is taken back first.
 */
import type { Pool } from 'pg'

import type { CommitResult, Fence, Step, StoreTransaction, TenantSql } from '#shared/actor/store.ts'

import { beginTransaction } from '../database.ts'
import { statementName } from '../pool.ts'
import type { Transaction } from '../transaction.ts'
import { COMMIT, commitParameters, duplicatesIn } from './commit-parts.ts'

const ENTER = `select runtime_fence($2, $3, $4), set_config('app.tenant', $1, true), set_config('role', 'waggle_app', true)`

export async function beginHandler(pool: Pool, fence: Fence): Promise<StoreTransaction> {
  const values = [fence.tenant, fence.kind, fence.partition, fence.epoch]
  return new HandlerTransaction(await beginTransaction(pool, fence.tenant, ENTER, values), fence)
}

class HandlerTransaction implements StoreTransaction {
  readonly #transaction: Transaction
  readonly #fence: Fence

  constructor(transaction: Transaction, fence: Fence) {
    this.#transaction = transaction
    this.#fence = fence
  }

  get sql(): TenantSql {
    return this.#transaction
  }

  get pending(): number {
    return this.#transaction.pending
  }

  async commit(step: Step): Promise<CommitResult> {
    try {
      await this.#transaction.end([
        { text: 'set local role none' },
        { name: statementName(COMMIT), text: COMMIT, values: commitParameters(this.#fence, [step]) },
        { text: 'commit' },
      ])
      return { duplicates: [] }
    } catch (error) {
      const duplicates = duplicatesIn(error)
      if (duplicates === null) throw error
      return { duplicates }
    }
  }

  rollback(): Promise<void> {
    return this.#transaction.rollback()
  }
}
