import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { readConfig } from '#shared/config/config.ts'
import { ROOT, isAlive, readEndpointFile, stateFolders } from '../endpoint.ts'
import type { Finding, Patient } from './finding.ts'
import { fail, ok, unsettled, warn } from './finding.ts'
import type { Check } from './finding.ts'
import { packageVersion } from './servers.ts'
import { isFree } from './tcp.ts'

const NODE_MAJOR = 24
const GIB = 1024 ** 3
const DISK_NEEDED_GIB = 0.25
const DISK_WANTED_GIB = 2

export const checkNode: Check = async () => {
  const major = Number(process.versions.node.split('.')[0])
  return major >= NODE_MAJOR
    ? ok('node', `Node ${process.versions.node}`)
    : fail(
        'node',
        `Node ${process.versions.node}, and ${NODE_MAJOR} is needed`,
        'Run `npm ci`: it brings the right one along.',
      )
}

export const checkDependencies: Check = async () => {
  const missing: string[] = []
  for (const name of ['socket.io', 'nats', 'fastify', '@langchain/langgraph', '@mikro-orm/core', 'vite']) {
    if ((await packageVersion(name)) === null) missing.push(name)
  }
  return missing.length === 0
    ? ok('dependencies', 'installed')
    : fail('dependencies', `missing: ${missing.join(', ')}`, `Run \`npm ci\` in ${ROOT}`)
}

/** Everything wrong with the environment variables at once. */
export const checkConfiguration: Check = async ({ terminal }) => {
  try {
    readConfig(terminal.env)
    return ok('configuration', 'the environment makes sense')
  } catch (thrown) {
    if (!(thrown instanceof WaggleError)) throw thrown
    return fail('configuration', thrown.message, 'Correct the variables named.')
  }
}

export const checkPort: Check = async ({ terminal, config }) => {
  if (config === null) return unsettled('port')
  const { host, port } = config.http
  if (port === 0) return ok('port', 'any free one (PORT=0)')
  if (await isFree(host, port)) return ok('port', `${host}:${port} is free`)
  const running = await readEndpointFile(terminal).catch(() => null)
  if (
    running !== null &&
    (running.pid === undefined || isAlive(running.pid)) &&
    new URL(running.url).port === String(port)
  ) {
    return ok('port', `${host}:${port} is our own gateway`)
  }
  return fail(
    'port',
    `${host}:${port} is taken by another program`,
    'End it, or take another port: PORT=9000, or `waggle up --port 9000`.',
  )
}

export const checkState: Check = async ({ terminal }) => {
  for (const folder of stateFolders(terminal)) {
    if ((await stat(folder).catch(() => null)) === null) continue
    const writable = await access(folder, constants.R_OK | constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    )
    return writable
      ? ok('state', `${folder} (\`waggle up --reset\` forgets it)`)
      : fail('state', `${folder} cannot be written`, 'Give this user the folder, or set WAGGLE_STATE.')
  }
  return ok('state', 'none yet; the first start makes it')
}

export const checkDisk: Check = async ({ terminal }) => {
  const folder = await nearest(stateFolders(terminal)[0] ?? ROOT)
  const { bavail, bsize } = await statfs(folder)
  const free = (bavail * bsize) / GIB
  const found = `${free.toFixed(1)} GiB free at ${folder}`
  if (free < DISK_NEEDED_GIB)
    return fail('disk', found, 'Make room: the broker and the database stop when the disk is full.')
  return free < DISK_WANTED_GIB ? warn('disk', found, 'Make room before it is full.') : ok('disk', found)
}

export const checkModel: Check = async ({ config }) => {
  if (config === null) return unsettled('model')
  const { models } = config
  if (models.provider === 'builtin') return ok('model', 'the built-in one, which needs no key')
  if (models.apiKey === null && models.baseUrl === null) {
    return fail(
      'model',
      `MODEL_PROVIDER=${models.provider}, without OPENAI_API_KEY or OPENAI_BASE_URL`,
      'Set one of them, or MODEL_PROVIDER=builtin.',
    )
  }
  return ok('model', `${models.provider}, ${models.name ?? 'its default model'}`)
}

export const checkConsole: Check = async () => {
  const built = await stat(join(ROOT, 'gateway', 'console', 'dist', 'index.html')).catch(() => null)
  return built === null
    ? warn('console', 'not built yet', 'The next start builds it; by hand: node gateway/console/build.ts')
    : ok('console', 'built')
}

async function nearest(folder: string): Promise<string> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  )
  return exists || dirname(folder) === folder ? folder : nearest(dirname(folder))
}

/** A check that fails by itself is a finding too. */
export async function made(name: string, check: Check, patient: Patient): Promise<Finding> {
  try {
    return await check(patient)
  } catch (thrown) {
    return fail(name, thrown instanceof Error ? thrown.message : String(thrown), 'Report it: the check itself failed.')
  }
}
