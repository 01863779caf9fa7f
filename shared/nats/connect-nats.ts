import { connect, credsAuthenticator, nuid } from 'nats'
import type { ConnectionOptions, NatsConnection, TlsOptions } from 'nats'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { fromClientError } from './broker-error.ts'
import { NatsTransport } from './nats-transport.ts'

/** A dead connection that nobody closed is noticed after at most three of these. */
export const PING_MS = 5_000
export const RECONNECT_FIRST_MS = 100
export const RECONNECT_MAX_MS = 5_000
export const CONNECT_MS = 5_000

export type NatsCredentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The text of a `.creds` file: a user's JWT and seed. */
  | { readonly creds: Uint8Array }

export interface NatsOptions {
  /**
   * One or more `nats://host:port` (`tls://` to insist on it), separated by commas; `user:password@` or `token@` is
   * understood.
   */
  readonly url: string
  /** Shown by the server's monitoring. */
  readonly name: string
  readonly credentials?: NatsCredentials
  readonly tls?: TlsOptions
  /**
   * Root of the private subjects of this process (replies, deliveries). The broker's permissions must let nobody else
   * subscribe below it; a random part is added, so that one permission `<root>.>` serves all processes of the swarm.
   */
  readonly privateRoot?: string
  /** Of streams and buckets that do not say their own. */
  readonly replicas?: number
  /** Another JetStream domain: `$JS.<domain>.API`. */
  readonly apiPrefix?: string
  /** What a handler threw, or what failed where nobody waits for an answer. */
  readonly onError: (error: Error) => void
}

/**
 * Connects once, or throws BROKER_DOWN (CONFIG when the address cannot be read); a connection that stood is then restored for ever, with growing, jittered
 * waits, so that a crowd does not return at once.
 */
export async function connectNats(options: NatsOptions): Promise<NatsTransport> {
  const { servers, login, secure } = parseUrls(options.url)
  const tls = options.tls ?? (secure ? {} : undefined)
  const prefix = `${options.privateRoot ?? '_wgl'}.${nuid.next()}`
  let attempt = 0
  const settings: ConnectionOptions & { inboxPrefix: string; ignoreAuthErrorAbort: boolean } = {
    servers,
    name: options.name,
    // What the client library opens by itself must lie in the private space too.
    inboxPrefix: prefix,
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    reconnect: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => backoffMs(attempt, RECONNECT_FIRST_MS, RECONNECT_MAX_MS, Math.random),
    ...(tls ? { tls } : {}),
    ...loginOptions(options.credentials ?? login),
  }
  let connection: NatsConnection
  try {
    connection = await connect(settings)
  } catch (error) {
    throw fromClientError(error, { servers: servers.join(',') })
  }
  void countAttempts(connection, (count) => (attempt = count))
  return new NatsTransport(connection, {
    prefix,
    replicas: options.replicas ?? 1,
    apiPrefix: options.apiPrefix ?? '$JS.API',
    onError: options.onError,
  })
}

async function countAttempts(connection: NatsConnection, report: (attempt: number) => void): Promise<void> {
  let attempt = 0
  for await (const { type } of connection.status()) {
    if (type === 'reconnecting') report(++attempt)
    else if (type === 'reconnect') report((attempt = 0))
  }
}

function parseUrls(text: string): { servers: string[]; login: NatsCredentials | undefined; secure: boolean } {
  let login: NatsCredentials | undefined
  let secure = false
  const servers = text.split(',').map((part) => {
    const address = part.includes('://') ? part.trim() : `nats://${part.trim()}`
    if (!URL.canParse(address)) throw new WaggleError('CONFIG', { reason: 'The address of the broker is no URL.' })
    const url = new URL(address)
    secure ||= url.protocol === 'tls:'
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
    if (user !== '') login = password === '' ? { token: user } : { user, password }
    return url.host
  })
  return { servers, login, secure }
}

function loginOptions(credentials: NatsCredentials | undefined): ConnectionOptions {
  if (!credentials) return {}
  if ('creds' in credentials) return { authenticator: credsAuthenticator(credentials.creds) }
  if ('token' in credentials) return { token: credentials.token }
  return { user: credentials.user, pass: credentials.password }
}
