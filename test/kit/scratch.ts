/**
 * Temporary folders and the processes of a run. A server writes its pid into its folder; whoever ends the run ends by pid
 * what is left, so that a worker killed in the middle of a test leaves neither processes nor files behind.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The folder of this run, made by the runner; a test file run by itself makes its own and removes it at exit. */
const RUN_VARIABLE = 'WAGGLE_TEST_TMP'
const PID_FILE = 'pid'

export async function scratchFolder(prefix: string): Promise<string> {
  return mkdtemp(join(runFolder(), `${prefix}-`))
}

/** A folder whose processes nobody else will end: for the runner. */
export async function createRunFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waggle-test-'))
  await chmod(folder, 0o711) // a PostgreSQL that root starts runs as another user and has its data below
  return folder
}

export async function notePid(folder: string, pid: number): Promise<void> {
  await writeFile(join(folder, PID_FILE), String(pid))
}

/** Ends what still runs out of a run's folder, removes the folder, and says which processes had been left. */
export async function clearRunFolder(folder: string): Promise<string[]> {
  const left: string[] = []
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = Number(await readFile(join(folder, name, PID_FILE), 'utf8').catch(() => ''))
    if (pid > 0 && (await runsOutOf(pid, folder)) && endProcess(pid)) left.push(`${name} (pid ${pid})`)
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  return left
}

/** A pid may have been given to somebody else meanwhile: ours has the folder among its arguments. */
async function runsOutOf(pid: number, folder: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return commandLine === undefined ? process.platform !== 'linux' : commandLine.includes(folder)
}

function endProcess(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false // it had ended already
  }
}

function runFolder(): string {
  const given = process.env[RUN_VARIABLE]
  if (given !== undefined) return given
  const own = mkdtempSync(join(tmpdir(), 'waggle-test-'))
  process.env[RUN_VARIABLE] = own
  process.once('exit', () => rmSync(own, { recursive: true, force: true }))
  return own
}
