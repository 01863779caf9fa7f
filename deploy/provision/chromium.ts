/** Finds a Chromium for browser tests; root of a Debian machine may install it. */
import { findOnPath, runCommand } from './command.ts'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const INSTALL_TIMEOUT_MS = 300_000

export type FoundChromium = { readonly path: string } | { readonly problem: string }

/** Never rejects. With `install`, and as root, a missing one is installed from Debian's archive. */
export async function findChromium(
  options: { readonly install?: boolean; readonly onProgress?: (line: string) => void } = {},
): Promise<FoundChromium> {
  const found = await onPath()
  if (found !== undefined) return { path: found }
  const names = `none of ${PROGRAMS.join(', ')} is on PATH`
  const install = options.install ?? process.env['WAGGLE_DOWNLOAD'] !== 'off'
  if (!install || process.getuid?.() !== 0 || (await findOnPath('apt-get')) === undefined) return { problem: names }

  options.onProgress?.('chromium: installing')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const limits = { timeoutMs: INSTALL_TIMEOUT_MS, env }
  await runCommand('apt-get', ['-q', 'update'], limits) // other archives of this machine may fail; Debian's is what counts
  const args = ['-q', '-y', '--no-install-recommends', 'install', 'chromium']
  const installed = await runCommand('apt-get', args, limits)
  const path = await onPath()
  return path === undefined ? { problem: `${names}; apt-get install chromium: ${installed.problem}` } : { path }
}

async function onPath(): Promise<string | undefined> {
  for (const program of PROGRAMS) {
    const path = await findOnPath(program)
    if (path !== undefined) return path
  }
  return undefined
}
