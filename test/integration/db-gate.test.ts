/** The embedded database's gate: many connections over PGlite's one session (shared/db/embedded/gate.ts, G1 to G4). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Client, Pool } from 'pg'

import { openDatabase } from '#shared/db/database.ts'
import { startPglite } from '#shared/db/embedded/pglite.ts'
import type { Pglite } from '#shared/db/embedded/pglite.ts'
import { testDatabase } from '#test/kit/database.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

suite('gate of the embedded database', ({ test, before, after }) => {
  let server: Awaited<ReturnType<typeof testDatabase>>
  before(async () => {
    server = await testDatabase({ kind: 'pglite' })
  })
  after(() => server.drop())

  const connected = async (): Promise<Client> => {
    const client = new Client({ connectionString: server.url })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  test('keeps statements of many connections apart, also those that arrive in pieces', async () => {
    // 400 KB do not arrive at once. PGlite's own socket server mixes such a statement with those of others.
    const long = 'x'.repeat(400_000)
    const pool = new Pool({ connectionString: server.url, max: 6 })
    const answers = await Promise.all(
      Array.from({ length: 120 }, async (_, n) => {
        const { rows } = await (n % 3 === 0
          ? pool.query(`select length($1::text) as long, ${n} as tag`, [long])
          : pool.query(`select ${n} as tag, $1::int as value`, [n]))
        return rows[0] as unknown
      }),
    )
    assert.equal(
      answers,
      answers.map((_, n) => (n % 3 === 0 ? { long: 400_000, tag: n } : { tag: n, value: n })),
    )
    await pool.end()
  })

  test('keeps prepared statements of the same name apart, and forgets those of a connection that left', async () => {
    const [one, two] = await Promise.all([connected(), connected()])
    const first = { name: 'same', text: 'select 1 as one, $1::int as value', values: [5] }
    const second = { name: 'same', text: 'select 2 as two, $1::text as value', values: ['x'] }
    for (let round = 0; round < 3; round++) {
      assert.equal((await one.query(first)).rows, [{ one: 1, value: 5 }])
      assert.equal((await two.query(second)).rows, [{ two: 2, value: 'x' }])
    }
    await one.end()
    // The server hears of the end a little later than we do: asked until it has, a bounded number of times.
    let kept = 0
    for (let asked = 0; asked < 500 && kept !== 1; asked++) {
      const { rows } = await two.query<{ kept: number }>(`select count(*)::int as kept from pg_prepared_statements`)
      kept = rows[0]!.kept
    }
    assert.is(kept, 1)
    await two.end()
  })

  test('lets nobody into a transaction of another connection', async () => {
    const [one, two] = await Promise.all([connected(), connected()])
    await one.query('begin')
    await one.query(`select set_config('app.tenant', 'acme', true)`)
    let answered = false
    const other = two.query('select current_tenant() as tenant').then((result) => {
      answered = true
      return result.rows as unknown
    })
    for (let round = 0; round < 5; round++) await one.query('select 1')
    assert.is(answered, false)
    await one.query('commit')
    assert.equal(await other, [{ tenant: null }])
    await Promise.all([one.end(), two.end()])
  })

  test('rolls back and goes on when a connection leaves in a transaction', async () => {
    const [one, two] = await Promise.all([connected(), connected()])
    await one.query('create table if not exists leavers (n int)')
    await one.query('begin')
    await one.query('insert into leavers values (1)')
    // Not a goodbye: the process is gone.
    Reflect.get(Reflect.get(one, 'connection') as object, 'stream').destroy()
    assert.equal((await two.query('select count(*)::int as rows from leavers')).rows, [{ rows: 0 }])
    await two.end()
    await one.end().catch(() => {})
  })

  test('goes on after an error in a transaction, and after one outside of it', async () => {
    const client = await connected()
    await client.query('begin')
    assert.is(await stateOf(client.query('select 1 / $1::int', [0])), '22012')
    assert.is(await stateOf(client.query('select 1')), '25P02')
    await client.query('rollback')
    assert.is(await stateOf(client.query('select 1 / $1::int', [0])), '22012')
    assert.is(await stateOf(client.query('selec 1')), '42601')
    assert.equal((await client.query('select $1::int as n', [1])).rows, [{ n: 1 }])
    await client.end()
  })

  test('lets nobody in without the password of the URL', async () => {
    for (const password of ['', 'wrong']) {
      const url = new URL(server.url)
      url.password = password
      const client = new Client({ connectionString: url.href, ...(password === '' ? { password: ' ' } : {}) })
      client.on('error', () => {})
      assert.is(await stateOf(client.connect()), '28P01')
    }
  })

  test('hangs up on what is not the protocol, and serves the others', async () => {
    const { connect } = await import('node:net')
    const { port } = new URL(server.url)
    const garbage = connect(Number(port), '127.0.0.1')
    garbage.on('error', () => {}).resume()
    garbage.write(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    await new Promise<void>((resolve) => garbage.on('close', () => resolve()))
    const client = await connected()
    assert.equal((await client.query('select 1 as n')).rows, [{ n: 1 }])
    await client.end()
  })
})

suite('embedded database', ({ test, before, after }) => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waggle-pglite-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test(
    'keeps its data, is used by one process at a time, and ends a holder that is silent for too long',
    async () => {
      const dataDir = join(folder, 'data')
      const first = await startPglite({ dataDir, idleInTransactionMs: 100 })
      const database = await openDatabase({ url: first.url })
      await database.migrate()
      await database.tenant('acme', (sql) => sql.query(`insert into tenants (tenant, name) values ('acme', 'Acme')`))

      const silent = new Client({ connectionString: first.url })
      const ended = new Promise<string>((resolve) => {
        silent.on('error', (error) => resolve(String(Reflect.get(error, 'code'))))
      })
      await silent.connect()
      await silent.query('begin')
      await silent.query(`create table half_done (n int)`)
      assert.is(await ended, '25P03')
      await database.check()
      assert.equal(await database.lookup(`select to_regclass('half_done') as found`, []), [{ found: null }])
      await database.close()
      await first.stop()

      const again = await startPglite({ dataDir })
      const reopened = await openDatabase({ url: again.url })
      assert.equal(await reopened.migrate(), [])
      assert.equal(await reopened.tenants(), [{ tenant: 'acme', name: 'Acme', status: 'active' }])
      await reopened.close()
      await again.stop()
    },
    { deadlineMs: 90_000 },
  )

  test('refuses a folder that another process uses, and takes over that of a dead one', async () => {
    const { readFile, writeFile } = await import('node:fs/promises')
    const server: Pglite = await startPglite({ dataDir: join(folder, 'data') })
    const own = await readFile(join(folder, '.data.lock'), 'utf8')
    assert.match(own, new RegExp(`^${process.pid}\\b`))
    assert.is(await codeOf(startPglite({ dataDir: join(folder, 'data') })), 'CONFIG', 'not even twice in one process')
    await server.stop()

    const { spawn } = await import('node:child_process')
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    const stat = await readFile(`/proc/${other.pid}/stat`, 'utf8').catch(() => '')
    const began = stat.split(') ')[1]?.split(' ')[19]
    await writeFile(join(folder, '.taken.lock'), began === undefined ? `${other.pid}` : `${other.pid} ${began}`)
    assert.is(await codeOf(startPglite({ dataDir: join(folder, 'taken') })), 'CONFIG')
    other.kill('SIGKILL')
    await new Promise((resolve) => other.once('exit', resolve))

    for (const dead of ['999999999 1', `${process.pid} 1`, 'nonsense', '']) {
      await writeFile(join(folder, '.data.lock'), dead)
      const again = await startPglite({ dataDir: join(folder, 'data') })
      await again.stop()
    }
  })

  test('says DATABASE_DOWN when its folder cannot be read', async () => {
    const { mkdir, writeFile } = await import('node:fs/promises')
    await mkdir(join(folder, 'broken'), { recursive: true })
    await writeFile(join(folder, 'broken', 'PG_VERSION'), 'not a version')
    assert.is(await codeOf(startPglite({ dataDir: join(folder, 'broken') })), 'DATABASE_DOWN')
  })
})

async function stateOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'no error'
  } catch (error) {
    return String(Reflect.get(error as object, 'code'))
  }
}
