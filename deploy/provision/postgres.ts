/**
 * A PostgreSQL with pgvector for tests, benches and CI, without installing anything.
 *
 * The programs are Debian's packages, unpacked into the cache (they find their files relative to themselves); pgvector is
 * built from Debian's source package into that tree. Then a private cluster: its own data folder, loopback and a free
 * port, a random password, gone with `stop`. PostgreSQL refuses to run as root, so root runs it as `postgres` or `nobody`.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { coerceError } from '#shared/errors/waggle-error.ts'

import { runCommand } from './command.ts'
import { providePostgresTree } from './postgres-tree.ts'
import type { PostgresTree } from './postgres-tree.ts'

const CACHE = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), '.cache')
const INITDB_TIMEOUT_MS = 60_000
const READY_TIMEOUT_MS = 30_000
const READY_STEP_MS = 20
const STOP_TIMEOUT_MS = 10_000
const RESTART_STEP_MS = 100
const STILL_IN_USE = /still in use|lock file .* already exists|pre-existing shared memory/
const CONNECTIONS = 200

export interface PostgresOptions {
  readonly cache?: string
  readonly download?: boolean
  readonly onProgress?: (line: string) => void
  /** Where the data folder is made; the system's temporary folder by default. */
  readonly under?: string
  /** Survives a power cut, as in production: for benches. Off by default, since a test's data is thrown away. */
  readonly durable?: boolean
  /** More lines for postgresql.conf. */
  readonly config?: string
}

export interface PostgresServer {
  /** With the password of its superuser, for the database `postgres`. */
  readonly url: string
  readonly version: string
  /** Of the process running now; another one after `restart`. */
  readonly pid: number
  /** Holds the data and, as `pid`, the process id. */
  readonly folder: string
  /** Ends it at once, as a crash would; the data stays for `restart`. */
  kill(): Promise<void>
  /** Starts it again (after stopping it in good order, if it runs) on the same port with the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export type Started = { readonly server: PostgresServer } | { readonly problem: string }

/** Never rejects: that there is no PostgreSQL here is an answer, to be shown to whoever expected one. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Started> {
  const download = options.download ?? process.env['WAGGLE_DOWNLOAD'] !== 'off'
  const say = options.onProgress ?? (() => undefined)
  let folder: string | undefined
  try {
    const tree = await providePostgresTree(options.cache ?? CACHE, download, say)
    folder = await mkdtemp(join(options.under ?? tmpdir(), 'postgres-'))
    return { server: await startCluster(tree, folder, options) }
  } catch (thrown) {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    return { problem: coerceError(thrown).message }
  }
}

interface Identity {
  readonly uid: number
  readonly gid: number
}

async function startCluster(given: PostgresTree, folder: string, options: PostgresOptions): Promise<PostgresServer> {
  const identity = process.getuid?.() === 0 ? await unprivileged() : undefined
  if (identity !== undefined) await chown(folder, identity.uid, identity.gid)
  const tree = await reachableTree(given, folder, identity)
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', LD_LIBRARY_PATH: tree.libraries.join(':') }
  const data = join(folder, 'data')
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password)
  if (identity !== undefined) await chown(passwordFile, identity.uid, identity.gid)

  const initialise = ['-D', data, '-U', 'waggle', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '-N']
  const made = await runCommand(join(tree.bin, 'initdb'), [...initialise, '--locale=C.UTF-8'], {
    timeoutMs: INITDB_TIMEOUT_MS,
    cwd: folder,
    env,
    ...identity,
  })
  if (!made.ok) throw new Error(`initdb: ${made.problem}`)
  await rm(passwordFile)

  const port = await freePort()
  await writeFile(join(data, 'postgresql.auto.conf'), configuration(folder, port, options))
  const cluster = new Cluster(folder, () =>
    runCluster({ program: join(tree.bin, 'postgres'), data, folder, env, identity }),
  )
  await cluster.restart()
  const url = `postgres://waggle:${password}@127.0.0.1:${port}/postgres`
  return {
    url,
    version: tree.version,
    folder,
    get pid() {
      return cluster.pid
    },
    kill: () => cluster.end('SIGKILL'),
    restart: () => cluster.restart(),
    stop: () => cluster.stop(),
  }
}

interface Running {
  readonly pid: number
  readonly exited: Promise<void>
  readonly ready: boolean
}

/** One data folder and the server that runs on it, if any does. */
class Cluster {
  readonly #folder: string
  readonly #run: () => Promise<Running>
  #running: Running | null = null

  constructor(folder: string, run: () => Promise<Running>) {
    this.#folder = folder
    this.#run = run
  }

  get pid(): number {
    return this.#running?.pid ?? 0
  }

  async restart(): Promise<void> {
    await this.end('SIGINT')
    // Sessions of a server that was killed notice it soon, and until then no other may have their memory.
    const until = Date.now() + READY_TIMEOUT_MS
    for (;;) {
      const running = await this.#run()
      this.#running = running
      if (running.ready) return
      await this.end('SIGINT')
      const said = await readFile(join(this.#folder, 'log'), 'utf8').catch(() => '')
      const last = said.trim().split('\n').slice(-4).join(' · ')
      if (!STILL_IN_USE.test(last) || Date.now() > until) {
        await this.stop()
        throw new Error(`postgres did not start: ${last}`)
      }
      await delay(RESTART_STEP_MS)
    }
  }

  /** SIGINT is PostgreSQL's fast shutdown: open transactions are rolled back, nobody is waited for. */
  async end(how: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const running = this.#running
    if (running === null) return
    this.#running = null
    signal(running.pid, how)
    const late = setTimeout(() => signal(running.pid, 'SIGKILL'), STOP_TIMEOUT_MS)
    await running.exited
    clearTimeout(late)
  }

  async stop(): Promise<void> {
    await this.end('SIGINT')
    await rm(this.#folder, { recursive: true, force: true })
  }
}

interface Run {
  readonly program: string
  readonly data: string
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly identity: Identity | undefined
}

async function runCluster({ program, data, folder, env, identity }: Run): Promise<Running> {
  const log = await open(join(folder, 'log'), 'a')
  try {
    const child = spawn(program, ['-D', data], {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...identity,
    })
    child.unref()
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    const { pid } = child
    if (pid === undefined) throw new Error(`${program} could not be started`)
    await writeFile(join(folder, 'pid'), String(pid))
    return { pid, exited, ready: await ready(data, pid, exited) }
  } finally {
    await log.close()
  }
}

function configuration(folder: string, port: number, options: PostgresOptions): string {
  const lines = [
    `listen_addresses = '127.0.0.1'`,
    `port = ${port}`,
    `unix_socket_directories = '${folder}'`,
    `max_connections = ${CONNECTIONS}`,
    `shared_buffers = '128MB'`,
    `jit = off`,
    `timezone = 'UTC'`,
    ...(options.durable === true ? [] : ['fsync = off', 'synchronous_commit = off', 'full_page_writes = off']),
    options.config ?? '',
  ]
  return `${lines.join('\n')}\n`
}

/** The postmaster writes its state into the eighth line of its pid file, and its process id into the first. */
async function ready(data: string, pid: number, exited: Promise<void>): Promise<boolean> {
  let running = true
  void exited.then(() => {
    running = false
  })
  const until = Date.now() + READY_TIMEOUT_MS
  while (running && Date.now() < until) {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    if (Number(lines[0]) === pid && lines[7]?.trim() === 'ready') return true
    await delay(READY_STEP_MS)
  }
  return false
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended already
  }
}

async function unprivileged(): Promise<Identity> {
  const passwd = await readFile('/etc/passwd', 'utf8')
  for (const user of ['postgres', 'nobody']) {
    const fields = passwd
      .split('\n')
      .find((line) => line.startsWith(`${user}:`))
      ?.split(':')
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody')
}

/** A tree below a folder closed to others (root's home, say) is copied to where that user may read it. */
async function reachableTree(
  tree: PostgresTree,
  folder: string,
  identity: Identity | undefined,
): Promise<PostgresTree> {
  if (identity === undefined) return tree
  const probe = await runCommand(join(tree.bin, 'postgres'), ['--version'], {
    timeoutMs: READY_TIMEOUT_MS,
    cwd: '/',
    env: { LD_LIBRARY_PATH: tree.libraries.join(':') },
    ...identity,
  })
  if (probe.ok) return tree
  const root = join(folder, 'programs')
  await mkdir(root)
  await chmod(root, 0o755)
  await cp(tree.root, root, { recursive: true })
  return tree.at(root)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}
