import { access } from 'node:fs/promises'

import { connect } from 'nats'

import { natsBinaries, startNats } from './nats-server.ts'
import type { TestNats } from './nats-server.ts'
import { assert, suite } from './suite.ts'

for (const [index, { version }] of (await natsBinaries()).entries()) {
  const choice = index === 0 ? 'oldest' : 'newest'

  suite(`nats-server ${version} under test`, ({ test, before, after }) => {
    let server: TestNats
    before(async () => {
      server = await startNats({ version: choice })
    })
    after(() => server.stop())

    test('answers with the version asked for', async () => {
      const client = await connect({ servers: server.url })
      assert.is(client.info?.version, version)
      await client.close()
    })

    test('keeps a stream through a crash, on the same port', async () => {
      const url = server.url
      const client = await connect({ servers: url })
      const manager = await client.jetstreamManager()
      await manager.streams.add({ name: 'KEPT', subjects: ['kept.>'] })
      await client.jetstream().publish('kept.1', 'x')
      await client.close()
      await server.kill()
      await server.restart()
      assert.is(server.url, url)
      const again = await connect({ servers: url })
      const info = await (await again.jetstreamManager()).streams.info('KEPT')
      assert.is(info.state.messages, 1)
      await again.close()
    })
  })
}

suite('nats-server launcher', ({ test }) => {
  test('runs two servers apart and removes what they stored', async () => {
    const [one, other] = await Promise.all([startNats(), startNats({ jetstream: false })])
    assert.is.not(one.url, other.url)
    await Promise.all([one.stop(), other.stop()])
    await one.stop()
    const gone = await access(one.store).then(
      () => false,
      () => true,
    )
    assert.ok(gone)
    assert.throws(() => process.kill(one.pid, 0))
  })

  test('says what the server said when it does not start', async () => {
    const problem = await startNats({ config: 'no_such_setting: 1' }).then(
      () => '',
      (error: Error) => error.message,
    )
    assert.match(problem, 'did not start')
    assert.match(problem, 'no_such_setting')
  })
})
