import { lookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { AddressRefused, isAllowed, isPublicAddress } from './address-rules.ts'
import type { OutboundRules } from './address-rules.ts'

/** The addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly string[]>

export const CONNECT_MS = 5_000
export const HEADERS_MS = 30_000
export const BODY_MS = 30_000
/** Connections to one origin. */
export const CONNECTIONS = 32
const KEEP_ALIVE_MS = 10_000
const MAX_HEADER_BYTES = 32 * 1024

const systemResolve: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * An HTTP client that connects to public addresses only. A name is looked up once, every address it has must be public,
 * and exactly these are connected to: a name that answers differently the second time (DNS rebinding) gains nothing.
 * The socket's own word about where it leads is checked as well. Give it to every request; close it when done.
 */
export function guardedAgent(rules: OutboundRules, options: { readonly resolve?: Resolve } = {}): Agent {
  const resolve = options.resolve ?? systemResolve
  return new Agent({
    connect: (target, done) => void connectInto(done, connectChecked(target, rules, resolve)),
    connections: CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_MS,
    bodyTimeout: BODY_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
}

async function connectInto(done: buildConnector.Callback, connecting: Promise<Socket>): Promise<void> {
  let socket: Socket
  try {
    socket = await connecting
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)), null)
    return
  }
  done(null, socket)
}

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>

async function connectChecked(target: buildConnector.Options, rules: OutboundRules, resolve: Resolve): Promise<Socket> {
  // Bare here and in brackets in a URL; rules are written as URLs are.
  const host = isIP(target.hostname) === 6 ? `[${target.hostname}]` : target.hostname
  const port = target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port)
  const trusted = isAllowed(rules, host, port)
  if (!trusted && !rules.ports.includes(port)) throw new AddressRefused(`port ${port} is not allowed`)
  const addresses = await addressesOf(host, resolve)
  if (!trusted) for (const address of addresses) requirePublic(host, address)
  const socket = await dial(target, addresses)
  const { remoteAddress } = socket
  if (!trusted && (remoteAddress === undefined || !isPublicAddress(remoteAddress))) {
    socket.destroy()
    throw new AddressRefused(`${host} leads to an address that is not public`)
  }
  return socket
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
  const literal = host.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0) return [literal]
  const addresses = await resolve(host)
  if (addresses.length === 0) throw new Error(`${host} has no address`)
  return addresses
}

function requirePublic(host: string, address: string): void {
  // The address is not told: it may be how somebody maps an inner network.
  if (!isPublicAddress(address)) throw new AddressRefused(`${host} is not a public address`)
}

function dial(target: buildConnector.Options, addresses: readonly string[]): Promise<Socket> {
  const known = addresses.map((address) => ({ address, family: isIP(address) }))
  const only: LookupFunction = (_host, options, done) => {
    const wanted = known.filter(({ family }) => !options.family || options.family === family)
    const [first] = wanted
    if (first === undefined) done(new Error('no address of this family'), '', 4)
    else if (options.all === true) done(null, wanted)
    else done(null, first.address, first.family)
  }
  const connect = buildConnector({ timeout: CONNECT_MS, allowH2: false, lookup: only } as buildConnector.BuildOptions)
  return new Promise((resolve, reject) => {
    connect(target, (error, socket) => (error === null ? resolve(socket as Socket) : reject(error)))
  })
}
