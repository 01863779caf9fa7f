import { readFile } from 'node:fs/promises'

/** Every migration in order. The list is explicit: a file that is not in it is not run, and a test says so. */
export const MIGRATIONS = [
  '0001-runtime',
  '0002-domain',
  '0003-checkpoints',
  '0004-control',
  '0006-reviews',
  '0007-bounds',
  '0008-knowledge',
  '0009-vectors',
  '0010-logs',
] as const

export interface Migration {
  readonly name: string
  readonly up: string
  readonly down: string
}

export async function readMigrations(): Promise<Migration[]> {
  return Promise.all(
    MIGRATIONS.map(async (name) => {
      const [up, down] = await Promise.all([readSql(`${name}.up.sql`), readSql(`${name}.down.sql`)])
      return { name, up, down }
    }),
  )
}

function readSql(file: string): Promise<string> {
  return readFile(new URL(`./migrations/${file}`, import.meta.url), 'utf8')
}
