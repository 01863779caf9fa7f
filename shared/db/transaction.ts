/**
 * One open transaction of one tenant on one connection: what repositories and handlers are given.
 *
 * It owns the connection from BEGIN to the end. Modes: *open*; *ended* (committed, rolled back or broken), in which every
 * statement is refused. `pending` counts statements sent and not yet answered on this connection, whoever sent them (a
 * repository or MikroORM): zero while a handler awaits something else.
 */
import type { PoolClient, QueryConfig, QueryResult } from 'pg'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { TenantSql } from '#shared/actor/store.ts'

import { databaseError } from './database-error.ts'
import { statementName } from './pool.ts'

export class Transaction implements TenantSql {
  readonly tenant: string
  readonly #client: PoolClient
  #pending = 0
  #ended = false

  constructor(client: PoolClient, tenant: string) {
    this.#client = client
    this.tenant = tenant
  }

  get pending(): number {
    return this.#pending
  }

  get ended(): boolean {
    return this.#ended
  }

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const result = await this.send({ name: statementName(text), text, values: [...values] })
    return result.rows as Row[]
  }

  /** Any statement on this connection, counted. */
  async send(config: QueryConfig): Promise<QueryResult> {
    if (this.#ended) {
      throw new WaggleError('INTERNAL', { reason: 'A statement was sent after the end of its transaction.' })
    }
    this.#pending += 1
    try {
      return await this.#client.query(config)
    } catch (error) {
      throw databaseError(error)
    } finally {
      this.#pending -= 1
    }
  }

  /** Sends the last statements, the final one being COMMIT or ROLLBACK, and gives the connection back. */
  async end(statements: readonly QueryConfig[]): Promise<void> {
    const sent = Promise.allSettled(statements.map((statement) => this.send(statement)))
    this.#ended = true
    const results = await sent
    const failed = results.find((result) => result.status === 'rejected')
    const last = results.at(-1)
    // The server answers COMMIT of a failed transaction by rolling back: the connection is clean unless it broke.
    this.#client.release(last?.status === 'fulfilled' ? undefined : databaseError(last?.reason))
    if (failed !== undefined) throw databaseError(failed.reason)
    if (last?.status === 'fulfilled' && last.value.command !== statements.at(-1)?.text?.toUpperCase()) {
      throw new WaggleError('INTERNAL', {
        reason: 'The transaction had failed in a statement whose error was swallowed; it was rolled back.',
      })
    }
  }

  async rollback(): Promise<void> {
    if (this.#ended) return
    await this.end([{ text: 'rollback' }]).catch(() => {
      // The connection is thrown away, and the server rolls back by itself.
    })
  }
}
