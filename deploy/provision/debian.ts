/**
 * Debian's archive as a place to fetch programs from, without installing anything and without touching the machine's own
 * apt: the package lists, the cache and the list of sources are private to a folder of ours. apt checks the archive's
 * signatures as always, with the keys the machine has.
 */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { coerceError } from '#shared/errors/waggle-error.ts'

import { findOnPath, runCommand } from './command.ts'
import { unreachableReason } from './reachable.ts'

const DEFAULT_MIRROR = 'http://deb.debian.org/debian'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const UPDATE_TIMEOUT_MS = 60_000
const DOWNLOAD_TIMEOUT_MS = 120_000
const UNPACK_TIMEOUT_MS = 60_000

export interface Suite {
  readonly name: string
  readonly kind: 'deb' | 'deb-src'
}

export interface DebianArchive {
  /** Downloads packages into a folder and returns the paths of the `.deb` files there. */
  download(packages: readonly string[], into: string): Promise<string[]>
  /** Downloads what a package needs and this machine lacks (of libraries, say). Often nothing. */
  downloadMissingDependencies(packages: readonly string[], into: string): Promise<string[]>
  /** Downloads a source package and returns the paths of its files. */
  downloadSource(name: string, into: string): Promise<string[]>
}

export type Opened = { readonly archive: DebianArchive } | { readonly problem: string }

/** Opens the archive for some suites; `folder` keeps the package lists. Never rejects: absence is an answer. */
export async function openDebian(folder: string, suites: readonly Suite[]): Promise<Opened> {
  for (const program of ['apt-get', 'dpkg']) {
    if ((await findOnPath(program)) === undefined) return { problem: `there is no ${program} here` }
  }
  const mirror = debianMirror(await machineSources())
  const unreachable = await unreachableReason(mirror)
  if (unreachable !== undefined) return { problem: unreachable }
  try {
    const apt = await privateApt(folder, mirror, suites)
    const updated = await runCommand('apt-get', [...apt, 'update'], { timeoutMs: UPDATE_TIMEOUT_MS })
    if (!updated.ok) return { problem: `apt-get update: ${updated.problem}` }
    return { archive: archiveWith(apt) }
  } catch (thrown) {
    return { problem: coerceError(thrown).message }
  }
}

export async function unpackDeb(file: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true })
  const { ok, problem } = await runCommand('dpkg', ['-x', file, into], { timeoutMs: UNPACK_TIMEOUT_MS })
  if (!ok) throw new Error(`dpkg -x: ${problem}`)
}

/** The mirror this machine uses for Debian itself (not its security or update archives), from the text of its sources. */
export function debianMirror(sources: readonly string[]): string {
  const isDebian = (uri: string) => /^https?:\/\/\S+\/debian\/?$/.test(uri)
  for (const text of sources) {
    for (const line of text.split('\n')) {
      const words = line.trim().split(/\s+/)
      const candidates = words[0] === 'URIs:' || words[0] === 'deb' ? words.slice(1) : []
      const found = candidates.find(isDebian)
      if (found !== undefined) return found.replace(/\/$/, '')
    }
  }
  return DEFAULT_MIRROR
}

async function machineSources(): Promise<string[]> {
  const parts = '/etc/apt/sources.list.d'
  const names = await readdir(parts).catch(() => [])
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(parts, name))]
  return Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))
}

async function privateApt(folder: string, mirror: string, suites: readonly Suite[]): Promise<string[]> {
  const state = join(folder, 'state')
  const cache = join(folder, 'cache')
  const sourceList = join(folder, 'sources.list')
  await mkdir(join(state, 'lists', 'partial'), { recursive: true })
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true })
  const signedBy = (await isReadable(KEYRING)) ? `[signed-by=${KEYRING}] ` : ''
  await writeFile(sourceList, suites.map(({ kind, name }) => `${kind} ${signedBy}${mirror} ${name} main\n`).join(''))
  const settings = [
    `Dir::Etc::sourcelist=${sourceList}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State=${state}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${cache}`,
    'APT::Update::Error-Mode=any',
    'Acquire::http::Timeout=10',
    'Acquire::Retries=1',
    'Acquire::Languages=none',
    // Its unprivileged download user cannot write into our folder.
    ...(process.getuid?.() === 0 ? ['APT::Sandbox::User=root'] : []),
  ]
  return ['-q', ...settings.flatMap((setting) => ['-o', setting])]
}

function archiveWith(apt: readonly string[]): DebianArchive {
  const fetchInto = async (into: string, args: readonly string[]): Promise<string[]> => {
    await mkdir(into, { recursive: true })
    const work = await mkdtemp(join(into, 'fetch-'))
    const { ok, problem } = await runCommand('apt-get', [...apt, ...args], {
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
      cwd: work,
    })
    if (!ok) {
      await rm(work, { recursive: true, force: true })
      throw new Error(`apt-get ${args.join(' ')}: ${problem}`)
    }
    return (await readdir(work)).map((name) => join(work, name))
  }
  return {
    download: (packages, into) => fetchInto(into, ['download', ...packages]),
    downloadSource: (name, into) => fetchInto(into, ['source', '--download-only', name]),
    async downloadMissingDependencies(packages, into) {
      await mkdir(join(into, 'partial'), { recursive: true })
      const options = ['-y', '--download-only', '--no-install-recommends', '-o', `Dir::Cache::archives=${into}`]
      const locking = process.getuid?.() === 0 ? [] : ['-o', 'Debug::NoLocking=1']
      const { ok, problem } = await runCommand('apt-get', [...apt, ...options, ...locking, 'install', ...packages], {
        timeoutMs: DOWNLOAD_TIMEOUT_MS,
      })
      if (!ok) throw new Error(`apt-get install --download-only: ${problem}`)
      return (await readdir(into)).filter((name) => name.endsWith('.deb')).map((name) => join(into, name))
    },
  }
}

function isReadable(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  )
}
