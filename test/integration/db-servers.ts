/** The databases that storage tests run on: PGlite always, PostgreSQL when the run has one; each `open` gives a new one. */
import { openDatabase } from '#shared/db/database.ts'
import type { Database, DatabaseOptions } from '#shared/db/database.ts'
import { databaseKinds, testDatabase } from '#test/kit/database.ts'

export interface OpenedDatabase {
  readonly database: Database
  /** Of a user with every right. */
  readonly url: string
  /** Another process's view of the same database. */
  again(options?: Partial<DatabaseOptions>): Promise<Database>
  close(): Promise<void>
}

export interface DatabaseServer {
  readonly name: 'PGlite' | 'PostgreSQL'
  /** Several sessions at once: locks can be waited for. */
  readonly concurrent: boolean
  open(options?: Partial<DatabaseOptions> & { readonly migrated?: boolean }): Promise<OpenedDatabase>
}

export const servers: readonly DatabaseServer[] = databaseKinds().map((kind) => ({
  name: kind === 'pglite' ? 'PGlite' : 'PostgreSQL',
  concurrent: kind === 'postgres',
  async open({ migrated = true, ...options } = {}) {
    const made = await testDatabase({ kind, migrated })
    const { url } = made
    const opened = [await openDatabase({ url, poolSize: 6, ...options })]
    return {
      database: opened[0] as Database,
      url,
      async again(more = {}) {
        const other = await openDatabase({ url, poolSize: 4, ...options, ...more })
        opened.push(other)
        return other
      },
      async close() {
        await Promise.all(opened.map((database) => database.close()))
        await made.drop()
      },
    }
  },
}))
