import { execFile } from 'node:child_process'
import { access, constants, readFile, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../endpoint.ts'
import { fail, ok, unsettled, warn } from './finding.ts'
import type { Check } from './finding.ts'
import { tcpProblem } from './tcp.ts'

const VERSION_TIMEOUT_MS = 5_000
const NATS_PORT = 4222
const POSTGRES_PORT = 5432
const GET_NATS =
  'Put nats-server on PATH (Debian: apt-get install nats-server), set NATS_URL, or let the first start fetch it (WAGGLE_DOWNLOAD must not be off).'

/** The broker: the one named by NATS_URL, else a program to run, on PATH or fetched before. */
export const checkBroker: Check = async ({ terminal, config }) => {
  if (config === null) return unsettled('broker')
  const url = config.broker.url?.split(',')[0]?.trim()
  if (url !== undefined) {
    const { hostname, port } = new URL(url.includes('://') ? url : `nats://${url}`)
    const problem = await tcpProblem(hostname, port === '' ? NATS_PORT : Number(port))
    return problem === null
      ? ok('broker', `a server answers at ${hostname}`)
      : fail(
          'broker',
          `NATS_URL: ${hostname} does not answer (${problem})`,
          'Start that server, or unset NATS_URL to use an embedded one.',
        )
  }
  for (const path of await candidates(terminal.env['PATH'] ?? '')) {
    const version = await versionOf(path)
    if (version !== null) return ok('broker', `nats-server ${version} at ${path}`)
  }
  return terminal.env['WAGGLE_DOWNLOAD'] === 'off'
    ? fail('broker', 'no nats-server was found', GET_NATS)
    : warn('broker', 'no nats-server yet; the first start fetches one', GET_NATS)
}

/** The database: the one named by DATABASE_URL, else the embedded one that came with the dependencies. */
export const checkDatabase: Check = async ({ config }) => {
  if (config === null) return unsettled('database')
  const { url } = config.database
  if (url !== null) {
    const { hostname, port } = new URL(url)
    const problem = await tcpProblem(hostname, port === '' ? POSTGRES_PORT : Number(port))
    return problem === null
      ? ok('database', `a server answers at ${hostname}`)
      : fail(
          'database',
          `DATABASE_URL: ${hostname} does not answer (${problem})`,
          'Start that server, or unset DATABASE_URL to use the embedded one.',
        )
  }
  const version = await packageVersion('@electric-sql/pglite')
  return version === null
    ? fail('database', 'the embedded PostgreSQL (PGlite) is not installed', 'Run `npm ci`, or set DATABASE_URL.')
    : ok('database', `embedded PostgreSQL (PGlite ${version})`)
}

export async function packageVersion(name: string): Promise<string | null> {
  const text = await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as { version: string }).version
}

/** In the order in which a start looks: PATH, then what was fetched, newest first. */
async function candidates(path: string): Promise<readonly string[]> {
  const cache = join(ROOT, '.cache', 'nats')
  const versions = (await readdir(cache).catch(() => [])).filter((name) => /^\d+\.\d+\.\d+$/.test(name))
  const fetched = versions
    .toSorted((a, b) => b.localeCompare(a, undefined, { numeric: true }))
    .map((name) => join(cache, name))
  const found: string[] = []
  for (const folder of [...path.split(delimiter).filter((one) => one !== ''), ...fetched]) {
    const program = join(folder, 'nats-server')
    await access(program, constants.X_OK).then(
      () => found.push(program),
      () => undefined,
    )
  }
  return found
}

async function versionOf(program: string): Promise<string | null> {
  const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: VERSION_TIMEOUT_MS }).catch(() => ({
    stdout: '',
  }))
  return /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null
}
