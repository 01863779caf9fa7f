import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ProcessNotes } from '#deploy/embedded/process-notes.ts'
import { hold } from '#test/kit/leaks.ts'
import { notePid, scratchFolder } from '#test/kit/scratch.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

/** A process with `mark` in its command line, until it is ended. */
async function sleeper(mark: string): Promise<{ pid: number; ended: Promise<unknown> }> {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)', mark], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const release = hold('process', `sleeper ${child.pid}`)
  const ended = once(child, 'exit').then(([code, signal]) => (release(), signal ?? code) as unknown)
  await notePid(await scratchFolder('sleeper'), child.pid!)
  await once(child.stdout, 'data')
  return { pid: child.pid!, ended }
}

suite('the processes of a state folder', ({ test }) => {
  test('one stack holds it at a time; when it has gone, or was killed, the next one does', async () => {
    const dir = join(await scratchFolder('notes'), 'processes')
    const first = new ProcessNotes(dir)
    await first.take()
    assert.is(await codeOf(new ProcessNotes(dir).take()), 'ALREADY_RUNNING')
    first.give()
    await new ProcessNotes(dir).take()
    await writeFile(join(dir, 'stack.json'), JSON.stringify({ pid: 2 ** 22 + 1, mark: 'gone' }))
    await new ProcessNotes(dir).take()
    await writeFile(join(dir, 'stack.json'), '{"pid":')
    await new ProcessNotes(dir).take()
  })

  test('what a killed one left behind is ended, and nobody who has its pid by now', async () => {
    const dir = join(await scratchFolder('notes'), 'processes')
    const killed = new ProcessNotes(dir)
    await killed.take()
    const mark = join(dir, 'server.conf')
    const [left, stranger] = [await sleeper(mark), await sleeper('a stranger')]
    killed.note('nats-server', left.pid, mark)
    killed.note('gateway', stranger.pid, join(dir, 'main.ts'))
    killed.give()
    await new ProcessNotes(dir).take()
    assert.is(await left.ended, 'SIGTERM')
    process.kill(stranger.pid, 'SIGINT')
    assert.is(await stranger.ended, 'SIGINT')
  })
})
