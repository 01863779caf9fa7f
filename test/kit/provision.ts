/**
 * Finds or starts once per run what tests need, and tells the workers by environment:
 *
 *   WAGGLE_TEST_NATS  JSON list of { version, path }, oldest first
 *   WAGGLE_TEST_PG    URL of the superuser of a PostgreSQL with pgvector; unset when there is none
 *   WAGGLE_TEST_TMP   the folder of this run; what is left in it is ended and removed with the run
 *
 * A missing PostgreSQL is said and not a failure, as the storage tests run on PGlite in any case.
 */
import { startPostgres } from '#deploy/provision/postgres.ts'
import type { PostgresServer } from '#deploy/provision/postgres.ts'
import { findNatsServers } from '#deploy/provision/nats-server.ts'
import { coerceError } from '#shared/errors/waggle-error.ts'

import { clearRunFolder, createRunFolder } from './scratch.ts'

export interface Provisioned {
  readonly env: Readonly<Record<string, string>>
  /** What the tests run against, for a person. */
  readonly summary: readonly string[]
  /** Stops what was started. Resolves to what tests had left running. */
  end(): Promise<string[]>
}

export async function provision(say: (line: string) => void): Promise<Provisioned> {
  const folder = await createRunFolder()
  const [nats, postgres] = await Promise.all([provideNats(say), providePostgres(folder, say)])
  return {
    env: { WAGGLE_TEST_TMP: folder, WAGGLE_TEST_NATS: nats.list, ...postgres.env },
    summary: [nats.summary, postgres.summary],
    async end() {
      await postgres.server?.stop()
      return clearRunFolder(folder)
    },
  }
}

async function provideNats(say: (line: string) => void): Promise<{ list: string; summary: string }> {
  try {
    const found = await findNatsServers({ onProgress: say })
    return { list: JSON.stringify(found), summary: `nats-server ${found.map(({ version }) => version).join(' and ')}` }
  } catch (thrown) {
    return { list: '[]', summary: `nats-server: ${coerceError(thrown).message}` }
  }
}

interface PostgresAnswer {
  readonly env: Readonly<Record<string, string>>
  readonly summary: string
  readonly server?: PostgresServer
}

async function providePostgres(folder: string, say: (line: string) => void): Promise<PostgresAnswer> {
  const given = process.env['WAGGLE_TEST_PG']
  if (given !== undefined && given !== '') {
    return { env: { WAGGLE_TEST_PG: given }, summary: 'PGlite, and the PostgreSQL of WAGGLE_TEST_PG' }
  }
  const started = await startPostgres({ onProgress: say, under: folder })
  if ('problem' in started) return { env: {}, summary: `PGlite only; no PostgreSQL: ${started.problem}` }
  const { server } = started
  return { env: { WAGGLE_TEST_PG: server.url }, summary: `PGlite, and PostgreSQL ${server.version}`, server }
}
