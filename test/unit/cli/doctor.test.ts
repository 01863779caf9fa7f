import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examine } from '#gateway/cli/commands/doctor.ts'
import type { Finding } from '#gateway/cli/doctor/finding.ts'
import { runCli } from '#gateway/cli/program.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { FakeGateway } from '../client/fake-gateway.ts'
import { FakeTerminal } from './fake-terminal.ts'

suite('waggle doctor', ({ test, before, after }) => {
  let cwd: string
  let taken: Server
  let port: number

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'waggle-doctor-'))
    taken = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    port = (taken.address() as AddressInfo).port
  })
  after(async () => {
    await new Promise((resolve) => taken.close(resolve))
    await rm(cwd, { recursive: true, force: true })
  })

  const finding = async (name: string, env: Record<string, string>): Promise<Finding> => {
    const findings = await examine({}, new FakeTerminal({ cwd, env: { PORT: '0', PATH: '', ...env } }))
    const found = findings.find((one) => one.name === name)
    assert.ok(found, name)
    return found as Finding
  }

  test('finds everything essential in this installation', async () => {
    const findings = await examine(
      {},
      new FakeTerminal({ cwd, env: { PORT: '0', NATS_URL: `nats://127.0.0.1:${port}` } }),
    )
    assert.equal(
      findings.filter(({ state }) => state === 'fail'),
      [],
    )
    for (const { state, action } of findings) assert.is(state === 'ok', action === '')
  })

  test('finds servers that were named and do not answer', async () => {
    const url = 'nats://127.0.0.1:1'
    assert.is((await finding('broker', { NATS_URL: url })).state, 'fail')
    assert.is((await finding('broker', { NATS_URL: `nats://127.0.0.1:${port}` })).state, 'ok')
    assert.is((await finding('database', { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x' })).state, 'fail')
  })

  test('finds a port that another program has taken', async () => {
    const { state, action } = await finding('port', { PORT: String(port) })
    assert.is(state, 'fail')
    assert.match(action, /PORT=9000/)
  })

  test('finds a hosted model without a key, and every contradiction in the environment', async () => {
    assert.is((await finding('model', { MODEL_PROVIDER: 'openai', MODEL_NAME: 'm', OPENAI_API_KEY: 'k' })).state, 'ok')
    const broken = { NATS_USER: 'me' }
    const { state, found } = await finding('configuration', broken)
    assert.is(state, 'fail')
    assert.match(found, /NATS_USER/)
    assert.is((await finding('broker', broken)).state, 'warn')
  })

  test('finds whether the gateway is ready', async () => {
    let status = 200
    const gateway = await FakeGateway.start({ handle: (_, response) => void response.writeHead(status).end() })
    const env = { WAGGLE_URL: gateway.url, WAGGLE_TOKEN: 't' }
    assert.is((await finding('gateway', env)).state, 'ok')
    status = 503
    assert.is((await finding('gateway', env)).state, 'warn')
    await gateway.close()
    assert.is((await finding('gateway', env)).state, 'warn')
  })

  test('exits with 1 when something essential is missing, and says how to get it', async () => {
    const terminal = new FakeTerminal({ cwd, env: { PORT: String(port) } })
    assert.is(await runCli(['doctor'], terminal), 1)
    assert.match(terminal.stdout, /✘ port .*taken by another program\n\s+→ End it/)
    const json = new FakeTerminal({ cwd, env: { PORT: '0' } })
    assert.is(await runCli(['doctor', '--json'], json), 0)
    assert.ok((JSON.parse(json.stdout) as Finding[]).length >= 10)
  })
})
