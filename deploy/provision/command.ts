/** Runs another program to its end, bounded in time and output, and never through a shell. */
import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

const OUTPUT_LIMIT_CHARS = 200_000

export interface CommandOptions {
  readonly timeoutMs: number
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Run as this user; only root can. */
  readonly uid?: number
  readonly gid?: number
}

export interface CommandResult {
  readonly ok: boolean
  readonly stdout: string
  /** What to tell a person: the end of stderr, or why it could not run. */
  readonly problem: string
}

/** Never rejects: a program that is missing, fails or takes too long is an answer. */
export function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const { timeoutMs, ...spawnOptions } = options
  return new Promise((resolve) => {
    let stdout = ''
    let stderr = ''
    let late = false
    const child = spawn(program, args, { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => {
      if (stdout.length < OUTPUT_LIMIT_CHARS) stdout += chunk.toString('utf8')
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-OUTPUT_LIMIT_CHARS)
    })
    child.on('error', (error) => {
      clearTimeout(timer)
      resolve({ ok: false, stdout, problem: `${program}: ${error.message}` })
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      if (late) resolve({ ok: false, stdout, problem: `${program} took longer than ${timeoutMs} ms` })
      else if (code === 0) resolve({ ok: true, stdout, problem: '' })
      else resolve({ ok: false, stdout, problem: lastLines(stderr) || `${program} ended with code ${code}` })
    })
  })
}

/** Where a program is on a PATH, or undefined. */
export async function findOnPath(
  program: string,
  path: string = process.env['PATH'] ?? '',
): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue
    const candidate = join(folder, program)
    if (await isExecutable(candidate)) return candidate
  }
  return undefined
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' · ')
}
