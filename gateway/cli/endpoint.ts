import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { CliError, usage } from './cli-error.ts'
import { ExitCode } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

/** The folder of this installation. */
export const ROOT = join(import.meta.dirname, '..', '..')

const EndpointFile = z.object({
  url: z.string(),
  token: z.string().optional(),
  apiKey: z.string().optional(),
  pid: z.number().int().optional(),
})
type FoundEndpoint = z.infer<typeof EndpointFile> & { readonly path: string }

export interface EndpointOptions {
  readonly url?: string
  readonly token?: string
  readonly apiKey?: string
}

export interface Endpoint {
  readonly url: string
  readonly token: string | undefined
  readonly apiKey: string | undefined
  /** Where it was learnt from, for people. */
  readonly source: string
}

const HOW_TO_START = 'Start one with `npm start` or `npx waggle up`, or name one with --url and --token.'

/**
 * Which gateway, and as whom: options first, then WAGGLE_URL, WAGGLE_TOKEN and WAGGLE_API_KEY, then what a running
 * `npm start` left in `.waggle/endpoint.json`. Its token goes to its own gateway only, never to another address.
 */
export async function findEndpoint(options: EndpointOptions, terminal: Terminal): Promise<Endpoint> {
  const { env } = terminal
  const url = options.url ?? env['WAGGLE_URL']
  const token = options.token ?? env['WAGGLE_TOKEN']
  const apiKey = options.apiKey ?? env['WAGGLE_API_KEY']
  if (url !== undefined && !URL.canParse(url)) {
    throw usage(`"${url}" is not a URL.`, 'Give one such as http://127.0.0.1:8080')
  }
  if (url !== undefined && (token !== undefined || apiKey !== undefined)) {
    return { url, token, apiKey, source: options.url === undefined ? 'WAGGLE_URL' : '--url' }
  }
  const found = await readEndpointFile(terminal)
  if (url !== undefined) {
    if (found !== null && new URL(found.url).origin === new URL(url).origin) return { ...credentialsOf(found), url }
    throw new CliError(
      ExitCode.notAllowed,
      `No token for ${url} was given.`,
      'Add --token or --api-key, or set WAGGLE_TOKEN.',
    )
  }
  if (found === null) throw new CliError(ExitCode.noGateway, 'No gateway is running here.', HOW_TO_START)
  if (found.pid !== undefined && !isAlive(found.pid)) {
    throw new CliError(ExitCode.noGateway, `The gateway that ran here (process ${found.pid}) has ended.`, HOW_TO_START)
  }
  if (token === undefined && apiKey === undefined) return credentialsOf(found)
  return { url: found.url, token, apiKey, source: found.path }
}

function credentialsOf({ url, token, apiKey, path }: FoundEndpoint): Endpoint {
  return { url, token, apiKey: token === undefined ? apiKey : undefined, source: path }
}

/** Null where nothing was started. */
export async function readEndpointFile(terminal: Terminal): Promise<FoundEndpoint | null> {
  for (const folder of stateFolders(terminal)) {
    const path = join(folder, 'endpoint.json')
    const text = await readFile(path, 'utf8').catch(() => null)
    if (text === null) continue
    const parsed = EndpointFile.safeParse(parseJson(text))
    if (parsed.success) return { ...parsed.data, path }
    throw new CliError(ExitCode.failed, `${path} cannot be read.`, 'Start the stack again; it writes the file anew.')
  }
  return null
}

/** Where the embedded stack keeps its state: as it was told, in this folder, in this installation. */
export function stateFolders(terminal: Terminal): readonly string[] {
  const told = terminal.env['WAGGLE_STATE'] ?? ''
  const folder = told === '' ? '.waggle' : told
  return [...new Set([resolve(terminal.cwd, folder), resolve(ROOT, folder)])]
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
