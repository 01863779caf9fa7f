import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliError } from '#gateway/cli/cli-error.ts'
import { findEndpoint } from '#gateway/cli/endpoint.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { FakeTerminal } from './fake-terminal.ts'

/** Above the highest process id that Linux gives. */
const NOBODY = 2 ** 22 + 1

suite('waggle: which gateway', ({ test, before, after }) => {
  let cwd: string
  const write = (value: unknown): Promise<void> =>
    writeFile(join(cwd, '.waggle', 'endpoint.json'), typeof value === 'string' ? value : JSON.stringify(value))
  const find = (options = {}, env: Record<string, string> = {}): ReturnType<typeof findEndpoint> =>
    findEndpoint(options, new FakeTerminal({ cwd, env }))
  const refusal = async (work: Promise<unknown>): Promise<CliError> => {
    const thrown = await work.then(
      () => null,
      (error: unknown) => error,
    )
    assert.instance(thrown, CliError)
    return thrown as CliError
  }

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'waggle-endpoint-'))
    await mkdir(join(cwd, '.waggle'))
  })
  after(() => rm(cwd, { recursive: true, force: true }))

  test('is the one that was started here, with its demo token', async () => {
    await write({ url: 'http://127.0.0.1:8080', token: 'demo', apiKey: 'wag_x', pid: process.pid })
    const { url, token, apiKey } = await find()
    assert.equal({ url, token, apiKey }, { url: 'http://127.0.0.1:8080', token: 'demo', apiKey: undefined })
  })

  test('is not one whose process has ended', async () => {
    await write({ url: 'http://127.0.0.1:8080', token: 'demo', pid: NOBODY })
    const { exitCode, message, action } = await refusal(find())
    assert.is(exitCode, 3)
    assert.match(message, /has ended/)
    assert.match(action, /npm start/)
  })

  test('is the one that was named, before anything else', async () => {
    await write({ url: 'http://127.0.0.1:8080', token: 'demo' })
    const env = { WAGGLE_URL: 'http://env:1', WAGGLE_TOKEN: 'env' }
    assert.is((await find({ url: 'http://option:1', token: 'option' }, env)).url, 'http://option:1')
    assert.is((await find({ url: 'http://option:1', token: 'option' }, env)).token, 'option')
    assert.is((await find({}, env)).url, 'http://env:1')
    assert.is((await find({ token: 'other' })).token, 'other')
  })

  test('gets the demo token only when it is the one that token is for', async () => {
    await write({ url: 'http://127.0.0.1:8080', token: 'demo' })
    assert.is((await find({ url: 'http://127.0.0.1:8080/' })).token, 'demo')
    assert.is((await refusal(find({ url: 'http://elsewhere.example' }))).exitCode, 4)
    const own = await find({ apiKey: 'wag_y' })
    assert.equal([own.token, own.apiKey], [undefined, 'wag_y'])
  })

  test('says that a file of it cannot be read, and that a URL is none', async () => {
    await write('{')
    assert.match((await refusal(find())).message, /endpoint\.json cannot be read/)
    assert.is((await refusal(find({ url: 'nonsense', token: 't' }))).exitCode, 2)
  })
})
