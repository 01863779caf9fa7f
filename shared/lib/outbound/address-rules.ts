import ipaddr from 'ipaddr.js'

/**
 * Where requests may go that a tenant configures or a model asks for. Public addresses on the usual ports, and what the
 * deployment allows by name. Who runs the platform decides `allow`; a tenant cannot.
 */
export interface OutboundRules {
  /** `host:port`, exactly as a URL names them; whatever their address. */
  readonly allow: readonly string[]
  readonly ports: readonly number[]
}

export const DEFAULT_PORTS = [80, 443] as const

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

/** Public by its range, but answers inside one cloud only (its metadata and DNS). */
const NOT_PUBLIC = new Set(['168.63.129.16'])

/**
 * True for addresses that anybody on the internet could reach. False for loopback, private and carrier networks,
 * link-local (cloud metadata), and whatever wraps another address: IPv4-mapped ones are unwrapped, 6to4, Teredo and NAT64
 * are refused.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return parsed.range() === 'unicast' && !NOT_PUBLIC.has(parsed.toString())
}

export function isAllowed(rules: OutboundRules, host: string, port: number): boolean {
  return rules.allow.includes(`${host}:${port}`)
}

/** Throws AddressRefused for what no look-up could make right. The addresses themselves are checked on connecting. */
export function checkUrl(url: URL, rules: OutboundRules): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new AddressRefused(`only http and https are spoken, not ${url.protocol.slice(0, -1)}`)
  if (url.username !== '' || url.password !== '') throw new AddressRefused('an address with a user name in it')
  const port = portOf(url)
  if (isAllowed(rules, url.hostname, port)) return
  if (!rules.ports.includes(port)) throw new AddressRefused(`port ${port} is not allowed`)
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(literal) && !isPublicAddress(literal))
    throw new AddressRefused(`${url.hostname} is not a public address`)
}

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
}
