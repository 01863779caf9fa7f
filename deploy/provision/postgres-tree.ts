/**
 * PostgreSQL's programs with pgvector, unpacked from Debian's packages into the cache:
 *
 *   .cache/postgres/15/usr/lib/postgresql/15/{bin,lib}, usr/share/postgresql/15, usr/lib/<machine> (libraries)
 *
 * pgvector has no binary package for this release, so its source package is compiled against that tree (some seconds;
 * gcc and make are needed). The tree is made aside and renamed into place, so a half-made one is never seen.
 */
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { findOnPath, isExecutable, runCommand } from './command.ts'
import { openDebian, unpackDeb } from './debian.ts'
import type { DebianArchive } from './debian.ts'

const MAJOR = '15'
/** The release of Debian that has this PostgreSQL; its programs need that release's C library or a newer one. */
const SUITE = 'bookworm'
const VECTOR_SUITE = 'trixie'
const PACKAGES = [`postgresql-${MAJOR}`, `postgresql-client-${MAJOR}`, `postgresql-server-dev-${MAJOR}`, 'libpq5']
const BUILD_TIMEOUT_MS = 180_000
const INSTALL_TIMEOUT_MS = 300_000
const VERSION_TIMEOUT_MS = 10_000

export interface PostgresTree {
  readonly version: string
  readonly root: string
  readonly bin: string
  /** For LD_LIBRARY_PATH. */
  readonly libraries: readonly string[]
  /** The same tree after it was copied to another root. */
  at(root: string): PostgresTree
}

/** Rejects with the reason when it cannot be had here. */
export async function providePostgresTree(
  cache: string,
  download: boolean,
  say: (line: string) => void,
): Promise<PostgresTree> {
  const folder = join(cache, 'postgres')
  const root = join(folder, MAJOR)
  if (!(await isExecutable(join(binFolder(root), 'postgres')))) {
    if (!download) throw new Error(`${root} is empty and WAGGLE_DOWNLOAD=off`)
    await mkdir(folder, { recursive: true })
    const work = await mkdtemp(join(folder, 'fetch-'))
    try {
      await make(work, say)
      await rename(join(work, 'root'), root).catch(async (thrown: unknown) => {
        if (!(await isExecutable(join(binFolder(root), 'postgres')))) throw thrown // else another process was faster
      })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
  return describe(root)
}

async function make(work: string, say: (line: string) => void): Promise<void> {
  say(`postgres: fetching Debian's postgresql-${MAJOR} (unpacked, not installed)`)
  const opened = await openDebian(join(work, 'apt'), [
    { kind: 'deb', name: SUITE },
    { kind: 'deb-src', name: VECTOR_SUITE },
  ])
  if ('problem' in opened) throw new Error(opened.problem)
  const root = join(work, 'root')
  const libraries = await opened.archive.downloadMissingDependencies([`postgresql-${MAJOR}`], join(work, 'needed'))
  const programs = await opened.archive.download(PACKAGES, work)
  for (const file of [...libraries, ...programs]) await unpackDeb(file, root)
  await buildVector(opened.archive, work, root, say)
}

async function buildVector(
  archive: DebianArchive,
  work: string,
  root: string,
  say: (line: string) => void,
): Promise<void> {
  await ensureCompiler(say)
  say('postgres: building pgvector')
  const files = await archive.downloadSource('pgvector', work)
  const tarball = files.find((file) => /\.orig\.tar\.\w+$/.test(file))
  if (tarball === undefined) throw new Error('the source package of pgvector has no orig.tar')
  const source = join(work, 'pgvector')
  await mkdir(source)
  await demand('tar', ['-xf', tarball, '-C', source, '--strip-components=1'], source)
  // OPTFLAGS: no -march=native, as a cache may move to another machine. with_llvm: bitcode would need clang.
  const settings = ['OPTFLAGS=', `PG_CONFIG=${join(binFolder(root), 'pg_config')}`, 'with_llvm=no']
  await demand('make', ['-j2', ...settings], source)
  await demand('make', ['install', ...settings], source)
}

async function demand(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { ok, problem } = await runCommand(program, args, { timeoutMs: BUILD_TIMEOUT_MS, cwd })
  if (!ok) throw new Error(`${program} ${args[0] ?? ''}: ${problem}`)
}

/** The compiler is the one thing that has to be installed; only root of a machine with apt can. */
async function ensureCompiler(say: (line: string) => void): Promise<void> {
  const lacking: string[] = []
  for (const program of ['gcc', 'make']) if ((await findOnPath(program)) === undefined) lacking.push(program)
  if (lacking.length === 0) return
  if (process.getuid?.() !== 0) throw new Error(`pgvector cannot be built: there is no ${lacking.join(' and no ')}`)
  say(`postgres: installing ${lacking.join(' and ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await runCommand('apt-get', ['-q', 'update'], { timeoutMs: INSTALL_TIMEOUT_MS, env })
  const args = ['-q', '-y', '--no-install-recommends', 'install', 'gcc', 'make', 'libc6-dev']
  const { ok, problem } = await runCommand('apt-get', args, { timeoutMs: INSTALL_TIMEOUT_MS, env })
  if (!ok) throw new Error(`apt-get install gcc make: ${problem}`)
}

async function describe(root: string): Promise<PostgresTree> {
  const libraries = await libraryFolders(root)
  const env = { LD_LIBRARY_PATH: libraries.join(':') }
  const said = await runCommand(join(binFolder(root), 'postgres'), ['--version'], {
    timeoutMs: VERSION_TIMEOUT_MS,
    env,
  })
  if (!said.ok) throw new Error(`${binFolder(root)}/postgres does not run here: ${said.problem}`)
  const postgres = /\d+\.\d+/.exec(said.stdout)?.[0] ?? MAJOR
  const control = await readFile(join(root, 'usr/share/postgresql', MAJOR, 'extension/vector.control'), 'utf8')
  const vector = /default_version = '([\d.]+)'/.exec(control)?.[1] ?? '?'
  const tree = (at: string, folders: readonly string[]): PostgresTree => ({
    version: `${postgres} with pgvector ${vector}`,
    root: at,
    bin: binFolder(at),
    libraries: folders,
    at: (other) =>
      tree(
        other,
        folders.map((folder) => folder.replace(at, other)),
      ),
  })
  return tree(root, libraries)
}

async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = []
  for (const parent of [join(root, 'usr', 'lib'), join(root, 'lib')]) {
    for (const name of await readdir(parent).catch(() => [])) {
      if (/-linux-gnu/.test(name)) folders.push(join(parent, name))
    }
  }
  return folders
}

function binFolder(root: string): string {
  return join(root, 'usr', 'lib', 'postgresql', MAJOR, 'bin')
}
