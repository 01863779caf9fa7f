import { access, chmod } from 'node:fs/promises'

import pg from 'pg'

import { startPostgres } from '#deploy/provision/postgres.ts'
import { scratchFolder } from '#test/kit/scratch.ts'
import { assert, skip, suite } from '#test/kit/suite.ts'

suite('a private PostgreSQL', ({ test }) => {
  test('is not there, and says why, when nothing is cached and nothing may be fetched', async () => {
    const started = await startPostgres({ cache: await scratchFolder('cache'), download: false })
    assert.match('problem' in started ? started.problem : 'it started', 'WAGGLE_DOWNLOAD=off')
  })

  test('starts with pgvector, asks for its password, and leaves neither process nor data', async () => {
    const under = await scratchFolder('pg')
    await chmod(under, 0o711) // when root starts it, another user runs it
    const started = await startPostgres({ under, download: false })
    if ('problem' in started) {
      if (/WAGGLE_DOWNLOAD=off/.test(started.problem)) skip('no PostgreSQL in the cache')
      throw new Error(started.problem)
    }
    const { server } = started
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query('CREATE EXTENSION vector')
    const { rows } = await client.query<{ distance: number }>(`SELECT '[1,2]'::vector <-> '[1,5]'::vector AS distance`)
    assert.equal(rows, [{ distance: 3 }])
    await client.end()

    const stranger = new pg.Client({ connectionString: server.url.replace(/:[0-9a-f]+@/, ':guess@') })
    const refused = await stranger.connect().then(
      () => 'let in',
      (error: Error) => error.message,
    )
    assert.match(refused, 'password authentication failed')

    const { pid } = server
    await server.stop()
    assert.throws(() => process.kill(pid, 0))
    const gone = await access(server.folder).then(
      () => false,
      () => true,
    )
    assert.ok(gone)
  })
})
