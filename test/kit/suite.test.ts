/** The runner is run on fixtures that misbehave; each test names the misbehaviour that must not pass for green. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { runCommand } from '#deploy/provision/command.ts'

import { assert, suite } from './suite.ts'

const RUN_TIMEOUT_MS = 60_000
const HERE = import.meta.dirname

interface Ran {
  readonly ok: boolean
  readonly text: string
  readonly lastLine: string
}

async function runFixture(name: string, ...options: string[]): Promise<Ran> {
  return runProvided(name, '--bare', ...options)
}

async function runProvided(name: string, ...options: string[]): Promise<Ran> {
  const args = [join(HERE, 'run.ts'), '--serial', '--under', `test/kit/fixtures/${name}`, ...options]
  return ran(await runCommand(process.execPath, args, { timeoutMs: RUN_TIMEOUT_MS, env: ownEnvironment() }))
}

async function runAlone(name: string): Promise<Ran> {
  const args = [join(HERE, 'fixtures', name)]
  return ran(await runCommand(process.execPath, args, { timeoutMs: RUN_TIMEOUT_MS, env: ownEnvironment() }))
}

function ran(result: { readonly ok: boolean; readonly stdout: string }): Ran {
  return { ok: result.ok, text: result.stdout, lastLine: result.stdout.trimEnd().split('\n').at(-1) ?? '' }
}

/** Without what the outer run says to its own workers. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { WAGGLE_TEST_TMP: _tmp, CI: _ci, ...rest } = process.env
  return { ...rest, NO_COLOR: '1' }
}

suite('test runner', ({ test }) => {
  test('counts what passed and what was skipped, with its reason', async () => {
    const { ok, text, lastLine } = await runFixture('good')
    assert.ok(ok, text)
    assert.is(lastLine, '2 passed, 0 failed')
    assert.match(text, 'skipped 1: no such server here')
    assert.match(text, 'skipped 1: nothing to run on')
  })

  test('reports every way to fail, and keeps what passed beside it', async () => {
    const { ok, text, lastLine } = await runFixture('bad')
    assert.not.ok(ok)
    assert.is(lastLine, '3 passed, 8 failed')
    for (const expected of [
      'FAIL bad › differs',
      '"a":·2', // the diff
      'a bare string', // a thrown non-Error
      'details: {"run":7}', // an error whose details are no string
      'leaves a rejection behind (unhandled rejection)',
      'FAIL bad before › before',
      'not run, because the suite could not be set up',
      'FAIL bad after › after',
      'cannot stop after 1', // afterEach ran once, although uvu would run it twice after a failure
      'the suite declares no test',
    ]) {
      assert.match(text, expected)
    }
  })

  test('names a test that never settles and goes on with the next', async () => {
    const { ok, text, lastLine } = await runFixture('hang')
    assert.not.ok(ok)
    assert.match(text, '"never settles" was not done after 50 ms')
    assert.match(text, '"is told by its signal" was not done after 50 ms')
    assert.is(lastLine, '1 passed, 2 failed')
  })

  test('ends a process whose thread is held, names the test, and runs the next file in a new one', async () => {
    const { ok, text, lastLine } = await runFixture('stuck', '--grace', '200')
    assert.not.ok(ok)
    assert.match(text, 'FAIL stuck › holds the thread')
    assert.match(text, 'the process was ended')
    assert.is(lastLine, '2 passed, 1 failed')
  })

  test('ends the servers that a held test had started', async () => {
    const { ok, text, lastLine } = await runProvided('orphan', '--grace', '200')
    assert.not.ok(ok)
    assert.match(text, /ended what tests had left running: nats-\w+ \(pid \d+\)/)
    assert.is(lastLine, '0 passed, 1 failed')
    const pid = Number(/server (\d+)/.exec(text)?.[1])
    assert.ok(pid > 0)
    // Ended, even if nobody has collected it yet: such a process has a number, and no command line.
    assert.is(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''), '')
  })

  test('fails files that cannot be loaded or declare nothing', async () => {
    const { ok, text, lastLine } = await runFixture('none')
    assert.not.ok(ok)
    assert.match(text, 'cannot be loaded')
    assert.match(text, 'the file declares no suite')
    assert.is(lastLine, '0 passed, 2 failed')
  })

  test('fails a test that ends the process, even with code 0', async () => {
    const { ok, text } = await runFixture('crash')
    assert.not.ok(ok)
    assert.match(text, 'thrown in a callback')
    assert.match(text, 'FAIL crash › ends the process')
  })

  test('fails what is left open: registrations per test, timers and sockets per suite', async () => {
    const { ok, text, lastLine } = await runFixture('leak')
    assert.not.ok(ok)
    assert.match(text, 'the test left open: connection to nowhere')
    assert.match(text, 'the suite left open: 1 Timeout')
    assert.match(text, 'the suite left open: 1 TCPServerWrap')
    assert.is(lastLine, '4 passed, 3 failed')
  })

  test('fails when nothing matches', async () => {
    const { ok, lastLine } = await runFixture('good', 'no-such-file')
    assert.not.ok(ok)
    assert.is(lastLine, '0 passed, 0 failed')
  })
})

suite('test file run by itself', ({ test }) => {
  test('ends with the same line', async () => {
    const { ok, lastLine } = await runAlone('good/good.test.ts')
    assert.ok(ok)
    assert.is(lastLine, '2 passed, 0 failed')
  })

  test('fails when a hook fails, which uvu alone would not', async () => {
    const { ok, text } = await runAlone('leak/leak.test.ts')
    assert.not.ok(ok)
    assert.match(text, 'the suite left open: 1 Timeout')
  })
})
