import { Pool, types } from 'pg'
import type { PoolClient, PoolConfig, QueryResult } from 'pg'

import type { WaggleError } from '#shared/errors/waggle-error.ts'

import { databaseError } from './database-error.ts'

/**
 * Connections to one server, bounded. Values come as they are on the wire of this project: bigint as number, timestamps
 * as milliseconds since 1970, json parsed.
 */
export interface PoolSettings {
  readonly url: string
  readonly size: number
  readonly name: string
  readonly statementTimeoutMs: number
  readonly idleInTransactionMs: number
  /** Its statements find rows by key: none is ever planned as a scan (see below). */
  readonly byKey?: boolean
}

/** How long a caller waits for a connection before the database counts as down. */
export const CONNECT_TIMEOUT_MS = 5_000
const IDLE_MS = 30_000
/** The fence reads in one statement what another has waited for (I1): whatever the server's default is, each sees the latest. */
const READ_COMMITTED = '-c default_transaction_isolation=read\\ committed'
/** A plan lives as long as its connection. Made while a table is small it would be a scan, also when the table is not. */
const BY_KEY = '-c enable_seqscan=off'
/** A peer that has vanished without a word: the server's own limit has passed long ago, so nobody answers. */
const SILENCE_MS = 3_000

export function openPool(settings: PoolSettings): Pool {
  const config: PoolConfig = {
    connectionString: settings.url,
    max: settings.size,
    application_name: settings.name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: settings.statementTimeoutMs,
    query_timeout: settings.statementTimeoutMs + SILENCE_MS,
    idle_in_transaction_session_timeout: settings.idleInTransactionMs,
    keepAlive: true,
    options: [READ_COMMITTED, ...(settings.byKey === true ? [BY_KEY] : [])].join(' '),
    // BEGIN, the fence and the first statement go out together.
    pipeline: true,
    types: { getTypeParser },
  }
  const pool = new Pool(config)
  // An error event nobody listens to ends the process. The statement in flight is rejected by itself, and the pool
  // throws a broken connection away, so there is nothing to do here.
  pool.on('error', () => {})
  pool.on('connect', (client) => {
    client.on('error', () => {})
  })
  return pool
}

/** Runs one statement that is prepared once for each connection. The text must be a constant of the program. */
export async function runPrepared<Row extends object>(
  pool: Pool,
  text: string,
  values: readonly unknown[],
): Promise<QueryResult<Row>> {
  const client = await connect(pool)
  let broken: WaggleError | undefined
  try {
    return await client.query<Row>({ name: statementName(text), text, values: [...values] })
  } catch (error) {
    const failure = databaseError(error)
    // Pool.query would throw the connection away with every refused statement: a stale epoch, a duplicate.
    if (failure.code === 'DATABASE_DOWN') broken = failure
    throw failure
  } finally {
    client.release(broken)
  }
}

export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw databaseError(error)
  }
}

/** More texts than this are not constants: they are no longer given names, so that no server keeps them for ever. */
const MAX_STATEMENTS = 500
const names = new Map<string, string>()

/** The name under which a text is prepared, or '' (prepared anew each time). */
export function statementName(text: string): string {
  const known = names.get(text)
  if (known !== undefined) return known
  if (names.size >= MAX_STATEMENTS) return ''
  const name = `s${names.size + 1}`
  names.set(text, name)
  return name
}

const INT8 = 20
const TIMESTAMPTZ = 1184
const parseTime: unknown = types.getTypeParser(TIMESTAMPTZ, 'text')

function getTypeParser(oid: number, format?: 'text' | 'binary'): unknown {
  if (format !== 'binary') {
    if (oid === INT8) return toNumber
    if (oid === TIMESTAMPTZ) return toMilliseconds
  }
  return types.getTypeParser(oid, format as 'text')
}

function toNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is not a safe integer`)
  return value
}

function toMilliseconds(text: string): number {
  const value: unknown = (parseTime as (text: string) => unknown)(text)
  return value instanceof Date ? value.getTime() : Number(value)
}
