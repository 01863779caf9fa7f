import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ProcessNotes } from './process-notes.ts'

/** Where one installation on this machine keeps everything: keys, the broker's store, the database. */
export interface StateFolder {
  readonly dir: string
  readonly nats: string
  readonly database: string
  readonly logs: string
  readonly endpoint: string
  readonly processes: ProcessNotes
  /** Made once, kept for the next start, readable by their owner only. */
  readonly keys: { readonly privateKey: string; readonly publicKey: string; readonly secret: string }
}

/** Ours until `processes.give()`. Throws ALREADY_RUNNING while it is somebody else's. */
export async function openStateFolder(dir: string, options: { readonly reset: boolean }): Promise<StateFolder> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const processes = new ProcessNotes(join(dir, PROCESSES))
  await processes.take()
  if (options.reset)
    for (const name of await readdir(dir))
      if (name !== PROCESSES) await rm(join(dir, name), { recursive: true, force: true })
  const file = join(dir, 'keys.json')
  let keys: StateFolder['keys']
  try {
    keys = JSON.parse(await readFile(file, 'utf8')) as StateFolder['keys']
  } catch {
    const pair = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    keys = { ...pair, secret: randomBytes(32).toString('base64url') }
    await writeFile(file, JSON.stringify(keys), { mode: 0o600 })
    await chmod(file, 0o600)
  }
  const logs = join(dir, 'logs')
  await mkdir(logs, { recursive: true })
  return {
    dir,
    nats: join(dir, 'nats'),
    database: join(dir, 'database'),
    logs,
    endpoint: join(dir, 'endpoint.json'),
    processes,
    keys,
  }
}

const PROCESSES = 'processes'
