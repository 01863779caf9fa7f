import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toArguments } from '#gateway/cli/commands/up.ts'
import { ROOT } from '#gateway/cli/endpoint.ts'
import { runCli } from '#gateway/cli/program.ts'
import { wantsColor } from '#gateway/cli/terminal.ts'
import { assert, skip, suite } from '#test/kit/suite.ts'
import { FakeTerminal } from './fake-terminal.ts'

const run = promisify(execFile)
const WAGGLE = join(ROOT, 'gateway', 'cli', 'waggle.mjs')
const HELP_SECTIONS = /Usage: waggle [\s\S]*Options:[\s\S]*Examples:/

suite('waggle: the command', ({ test }) => {
  test('runs under the Node of this project', async () => {
    const { stdout } = await run(process.execPath, [WAGGLE, '--version'])
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  })

  test('runs itself again under an older Node, and passes its exit code on', async () => {
    const older = await olderNode()
    if (older === null) return skip('no Node older than 24 on this machine')
    const { stdout } = await run(older, [WAGGLE, '--version'])
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
    const failed = await run(older, [WAGGLE, 'sing']).then(
      () => null,
      (error: { code: number; stderr: string }) => error,
    )
    assert.is(failed?.code, 2)
    assert.match(failed?.stderr ?? '', /unknown command 'sing'/)
  })

  test('has help with examples for every command', async () => {
    const files = await readdir(join(ROOT, 'gateway', 'cli', 'commands'))
    assert.ok(files.length >= 7)
    for (const name of ['up', 'ask', 'chat', 'watch', 'doctor', 'dlq']) {
      const terminal = new FakeTerminal()
      assert.is(await runCli([name, '--help'], terminal), 0)
      assert.match(terminal.stdout, HELP_SECTIONS, name)
    }
    const terminal = new FakeTerminal()
    assert.is(await runCli(['--help'], terminal), 0)
    assert.match(terminal.stdout, /Exit codes:\n {2}0 /)
  })

  test('hands the options of `up` to the stack, and refuses a port that is none', async () => {
    assert.equal(toArguments({}), [])
    assert.equal(toArguments({ processes: true, reset: true, port: 0 }), ['--processes', '--reset', '--port', '0'])
    assert.is(await runCli(['up', '--port', '70000'], new FakeTerminal()), 2)
  })

  test('colours a terminal, unless it is told otherwise', () => {
    assert.is(wantsColor({}, true), true)
    assert.is(wantsColor({}, false), false)
    assert.is(wantsColor({ NO_COLOR: '1', FORCE_COLOR: '1' }, true), false)
    assert.is(wantsColor({ NO_COLOR: '' }, true), true)
    assert.is(wantsColor({ FORCE_COLOR: '1' }, false), true)
    assert.is(wantsColor({ TERM: 'dumb' }, true), false)
  })
})

async function olderNode(): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    if (folder.includes('node_modules')) continue
    const node = join(folder, 'node')
    const { stdout } = await run(node, ['--version']).catch(() => ({ stdout: '' }))
    const major = Number(/^v(\d+)/.exec(stdout)?.[1] ?? '99')
    if (major >= 20 && major < 24) return node
  }
  return null
}
