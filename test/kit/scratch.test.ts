import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { clearRunFolder, createRunFolder, notePid } from './scratch.ts'
import { assert, suite } from './suite.ts'

suite('run folder', ({ test }) => {
  test('is cleared together with the processes that run out of it', async () => {
    const folder = await createRunFolder()
    const server = join(folder, 'server-1')
    await mkdir(server)
    const script = 'setInterval(() => undefined, 1000)'
    const child = spawn(process.execPath, ['-e', script, server], { stdio: 'ignore', detached: true })
    await once(child, 'spawn')
    await notePid(server, child.pid ?? 0)
    const exited = once(child, 'exit')
    assert.equal(await clearRunFolder(folder), [`server-1 (pid ${child.pid})`])
    assert.equal(await exited, [null, 'SIGKILL'])
    await access(folder).then(
      () => assert.unreachable('the folder is still there'),
      () => undefined,
    )
  })

  test('does not end a process that only has the number of one of ours', async () => {
    const folder = await createRunFolder()
    const server = join(folder, 'server-1')
    await mkdir(server)
    await notePid(server, process.pid)
    assert.equal(await clearRunFolder(folder), [])
  })
})
