/** The official release of nats-server: one archive per platform, checked against the SHA256SUMS published beside it. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { runCommand } from './command.ts'
import { unreachableReason } from './reachable.ts'

/** Pinned, so that two machines run the same; the archive of another one is chosen with WAGGLE_NATS_RELEASE. */
const RELEASE = '2.12.15'
const RELEASES = 'https://github.com/nats-io/nats-server/releases/download'
const SUMS_TIMEOUT_MS = 10_000
const ARCHIVE_TIMEOUT_MS = 120_000
const UNPACK_TIMEOUT_MS = 30_000

const PLATFORMS: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin' }
const MACHINES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

export interface ReleaseOptions {
  readonly version?: string
  /** Where releases are; a test has its own. */
  readonly base?: string
}

/** Unpacks the program into a folder and returns its path. Rejects with the reason when that cannot be done. */
export async function fetchRelease(into: string, options: ReleaseOptions = {}): Promise<string> {
  const version = options.version ?? process.env['WAGGLE_NATS_RELEASE'] ?? RELEASE
  const base = options.base ?? RELEASES
  const platform = PLATFORMS[process.platform]
  const machine = MACHINES[process.arch]
  if (platform === undefined || machine === undefined)
    throw new Error(`no release for ${process.platform} ${process.arch}`)
  const unreachable = await unreachableReason(base)
  if (unreachable !== undefined) throw new Error(unreachable)

  const name = `nats-server-v${version}-${platform}-${machine}`
  const sums = (await fetchBytes(`${base}/v${version}/SHA256SUMS`, SUMS_TIMEOUT_MS)).toString('utf8')
  const expected = expectedSum(sums, `${name}.tar.gz`)
  const archive = await fetchBytes(`${base}/v${version}/${name}.tar.gz`, ARCHIVE_TIMEOUT_MS)
  const actual = createHash('sha256').update(archive).digest('hex')
  if (actual !== expected) throw new Error(`${name}.tar.gz has SHA-256 ${actual}, its release says ${expected}`)

  const file = join(into, 'archive.tar.gz')
  await writeFile(file, archive)
  const args = ['-xzf', file, '-C', into, '--strip-components=1', `${name}/nats-server`]
  const unpacked = await runCommand('tar', args, { timeoutMs: UNPACK_TIMEOUT_MS })
  if (!unpacked.ok) throw new Error(`tar: ${unpacked.problem}`)
  return join(into, 'nats-server')
}

/** The sum of one file in a SHA256SUMS text (`<hex>  <name>` per line). */
export function expectedSum(sums: string, file: string): string {
  for (const line of sums.split('\n')) {
    const match = /^([0-9a-f]{64})\s+\*?(\S+)$/.exec(line.trim())
    if (match?.[1] !== undefined && match[2] === file) return match[1]
  }
  throw new Error(`SHA256SUMS does not name ${file}`)
}

async function fetchBytes(url: string, timeoutMs: number): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}
