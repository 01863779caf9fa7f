/**
 * Finds a nats-server, or fetches one. Looked for in this order (the caller has handled NATS_URL already):
 *
 *   1. `nats-server` on PATH
 *   2. the project's cache, `.cache/nats/<version>/nats-server`
 *   3. the official release archive, checked against its SHA256SUMS
 *   4. Debian's package, unpacked and not installed: trixie's, then bookworm's
 *
 * 3 and 4 need the network and are left out with WAGGLE_DOWNLOAD=off. Nothing older than FLOOR is taken.
 */
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { findOnPath, isExecutable, runCommand } from './command.ts'
import { openDebian, unpackDeb } from './debian.ts'
import { fetchRelease } from './nats-release.ts'
import type { ReleaseOptions } from './nats-release.ts'

/** The oldest server whose work queues, republish headers and compare-and-set the runtime was checked on. */
export const FLOOR = '2.9.10'
const DEBIAN_SUITES = ['trixie', 'bookworm'] as const
const VERSION_TIMEOUT_MS = 5000
const CACHE = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), '.cache')

export interface NatsBinary {
  readonly version: string
  readonly path: string
}

export interface FindOptions {
  /** Where programs are looked for first; the PATH of this process by default. */
  readonly path?: string
  readonly cache?: string
  readonly download?: boolean
  /** Whether Debian's packages are tried too. */
  readonly debian?: boolean
  readonly release?: ReleaseOptions
  /** Told what is being done, as it may take some seconds. */
  readonly onProgress?: (line: string) => void
}

interface Search {
  readonly options: FindOptions
  readonly cache: string
  readonly download: boolean
  /** Where was looked, and why nothing came of it. */
  readonly tried: string[]
}

/** The server to run: the first that the order above gives. Refuses with NATS_MISSING, naming everything that was tried. */
export async function findNatsServer(options: FindOptions = {}): Promise<NatsBinary> {
  const search = begin(options)
  const found =
    (await onPath(search)) ??
    (await cached(search)).at(-1) ??
    (await fromRelease(search)) ??
    (await fromDebian(search, DEBIAN_SUITES[0])) ??
    (await fromDebian(search, DEBIAN_SUITES[1]))
  if (found === undefined) throw missing(search)
  return found
}

/** The servers to test against: the oldest and the newest that can be had, in this order; one when only one can. */
export async function findNatsServers(options: FindOptions = {}): Promise<NatsBinary[]> {
  const search = begin(options)
  const found = new Map<string, NatsBinary>()
  const add = (...binaries: (NatsBinary | undefined)[]): void => {
    for (const binary of binaries)
      if (binary !== undefined && !found.has(binary.version)) found.set(binary.version, binary)
  }
  add(await onPath(search), ...(await cached(search)))
  if (![...found.values()].some(({ version }) => version === FLOOR)) add(await fromDebian(search, 'bookworm'))
  if (found.size < 2) add(await fromRelease(search))
  if (found.size < 2) add(await fromDebian(search, 'trixie'))
  const sorted = [...found.values()].toSorted((a, b) => compareVersions(a.version, b.version))
  const [oldest, newest] = [sorted[0], sorted.at(-1)]
  if (oldest === undefined || newest === undefined) throw missing(search)
  return oldest === newest ? [oldest] : [oldest, newest]
}

/** Negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let part = 0; part < Math.max(left.length, right.length); part += 1) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function begin(options: FindOptions): Search {
  return {
    options,
    cache: join(options.cache ?? CACHE, 'nats'),
    download: options.download ?? process.env['WAGGLE_DOWNLOAD'] !== 'off',
    tried: ['NATS_URL is not set'],
  }
}

async function onPath(search: Search): Promise<NatsBinary | undefined> {
  const path = await findOnPath('nats-server', search.options.path)
  if (path === undefined) {
    search.tried.push('nats-server is not on PATH')
    return undefined
  }
  return usable(search, path, `${path} on PATH`)
}

async function cached(search: Search): Promise<NatsBinary[]> {
  const versions = await readdir(search.cache).catch(() => [])
  const found: NatsBinary[] = []
  for (const version of versions.filter((name) => /^\d+\.\d+\.\d+$/.test(name))) {
    const path = join(search.cache, version, 'nats-server')
    if (!(await isExecutable(path))) continue
    const binary = await usable(search, path, path)
    if (binary !== undefined) found.push(binary)
  }
  if (found.length === 0) search.tried.push(`the cache ${search.cache} has none`)
  return found.toSorted((a, b) => compareVersions(a.version, b.version))
}

function fromRelease(search: Search): Promise<NatsBinary | undefined> {
  return attempt(search, 'the official release', (work) => fetchRelease(work, search.options.release))
}

async function fromDebian(search: Search, suite: string): Promise<NatsBinary | undefined> {
  if (search.options.debian === false) return undefined
  return attempt(search, `Debian's package (${suite})`, async (work) => {
    const opened = await openDebian(join(work, 'apt'), [{ kind: 'deb', name: suite }])
    if ('problem' in opened) throw new Error(opened.problem)
    for (const file of await opened.archive.download(['nats-server'], work)) await unpackDeb(file, join(work, 'root'))
    return join(work, 'root', 'usr', 'sbin', 'nats-server')
  })
}

/** Copies a program into the cache under its own version; two processes that do it at once both succeed. */
async function keep(search: Search, program: string): Promise<string> {
  const version = await versionOf(program)
  if (version === undefined) throw new Error('the program does not run here')
  const folder = join(search.cache, version)
  await mkdir(folder, { recursive: true })
  const staged = join(folder, `nats-server-${process.pid}`)
  await copyFile(program, staged)
  await rename(staged, join(folder, 'nats-server'))
  return join(folder, 'nats-server')
}

/** Fetches a program in a work folder of its own, which is gone afterwards. Why nothing came of it is remembered. */
async function attempt(
  search: Search,
  what: string,
  fetch: (work: string) => Promise<string>,
): Promise<NatsBinary | undefined> {
  if (!search.download) {
    search.tried.push(`${what} was left out (WAGGLE_DOWNLOAD=off)`)
    return undefined
  }
  search.options.onProgress?.(`nats-server: trying ${what}`)
  let work: string | undefined
  try {
    await mkdir(search.cache, { recursive: true })
    work = await mkdtemp(join(search.cache, 'fetch-'))
    return await usable(search, await keep(search, await fetch(work)), what)
  } catch (thrown) {
    search.tried.push(`${what}: ${coerceError(thrown).message}`)
    return undefined
  } finally {
    if (work !== undefined) await rm(work, { recursive: true, force: true })
  }
}

async function usable(search: Search, path: string, what: string): Promise<NatsBinary | undefined> {
  const version = await versionOf(path)
  if (version !== undefined && compareVersions(version, FLOOR) >= 0) return { version, path }
  search.tried.push(version === undefined ? `${what} does not run` : `${what} is ${version}, older than ${FLOOR}`)
  return undefined
}

async function versionOf(path: string): Promise<string | undefined> {
  const { stdout } = await runCommand(path, ['--version'], { timeoutMs: VERSION_TIMEOUT_MS })
  return /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
}

function missing(search: Search): WaggleError {
  return new WaggleError('NATS_MISSING', { reason: `Tried: ${search.tried.join('; ')}.`, tried: search.tried })
}
