import { spawn } from 'node:child_process'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

const VERSION_MS = 10_000
/** Of what it says about an error. */
const MAX_WORDS = 2_000

/** Whether the command runs here. */
export async function hasFfmpeg(command: string, signal: AbortSignal): Promise<boolean> {
  try {
    await runFfmpeg(command, ['-version'], { signal, limitMs: VERSION_MS })
    return true
  } catch (thrown) {
    if (thrown instanceof WaggleError && thrown.code === 'CANCELLED') throw thrown
    return false
  }
}

/** Runs it to its end, without a terminal or a network; an exit code other than 0 is DOCUMENT_UNREADABLE. */
export function runFfmpeg(
  command: string,
  args: readonly string[],
  { signal, limitMs }: { readonly signal: AbortSignal; readonly limitMs: number },
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '' },
    })
    let words = ''
    let problem: WaggleError | null = null
    const stop = (error: WaggleError): void => {
      problem = error
      child.kill('SIGKILL')
    }
    const onAbort = (): void => stop(new WaggleError('CANCELLED'))
    const late = setTimeout(
      () => stop(new WaggleError('DOCUMENT_TOO_SLOW', { reason: 'ffmpeg took too long.' })),
      limitMs,
    )
    const settle = (): void => {
      clearTimeout(late)
      signal.removeEventListener('abort', onAbort)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    child.stderr.on('data', (data: Buffer) => (words = `${words}${data.toString()}`.slice(-MAX_WORDS)))
    child.once('error', (error) => {
      settle()
      reject(problem ?? coerceError(error))
    })
    child.once('close', (code) => {
      settle()
      if (problem !== null) reject(problem)
      else if (code === 0) resolve()
      else {
        const reason = words.trim().split('\n').at(-1) ?? ''
        reject(new WaggleError('DOCUMENT_UNREADABLE', { reason: `ffmpeg: ${reason}` }))
      }
    })
  })
}
