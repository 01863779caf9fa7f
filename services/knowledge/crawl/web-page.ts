import { decodeHtml, parseHtml } from '../parse/web/parse-html.ts'

/** What a crawler wants to know of a page beside its text. Nothing here fetches. */
export interface WebPage {
  /** The address the page says it is known by, when it is of the same site; else its own. */
  readonly canonical: string
  /** Pages of the same site it links to, without fragments, each once. */
  readonly links: readonly string[]
  /** Whether it asks not to be indexed, or not to be followed. */
  readonly noIndex: boolean
  readonly noFollow: boolean
}

const MAX_LINKS = 5_000
/** Endings of what is no page and no document. */
const NOT_READ = /\.(?:css|js|mjs|map|json|xml|rss|ico|svg|gif|woff2?|ttf|zip|gz|exe|dmg|mp3|wav)$/i

export function readWebPage(bytes: Uint8Array, contentType: string, address: string): WebPage {
  const page = parseHtml(decodeHtml(bytes, contentType))
  const base = resolved(page.querySelector('base[href]')?.getAttribute('href') ?? '', address) ?? new URL(address)
  const own = withoutFragment(new URL(address))
  const robots = Array.from(page.querySelectorAll('meta[name="robots"], meta[name="waggle"]'), (meta) =>
    (meta.getAttribute('content') ?? '').toLowerCase(),
  ).join(',')
  const says = (word: string): boolean => new RegExp(`(?:^|[\\s,])(?:${word}|none)(?:$|[\\s,])`).test(robots)
  const canonical = resolved(page.querySelector('link[rel="canonical"]')?.getAttribute('href') ?? '', base.href)
  const links = new Set<string>()
  for (const anchor of page.querySelectorAll('a[href]')) {
    if (links.size >= MAX_LINKS) break
    if (/\bnofollow\b/.test(anchor.getAttribute('rel') ?? '')) continue
    const target = resolved(anchor.getAttribute('href') ?? '', base.href)
    if (target === null || target.origin !== own.origin || NOT_READ.test(target.pathname)) continue
    const link = withoutFragment(target).href
    if (link !== own.href) links.add(link)
  }
  return {
    canonical: (canonical !== null && canonical.origin === own.origin ? withoutFragment(canonical) : own).href,
    links: [...links],
    noIndex: says('noindex'),
    noFollow: says('nofollow'),
  }
}

function resolved(reference: string, base: string): URL | null {
  if (reference.trim() === '') return null
  const target = URL.parse(reference.trim(), base)
  return target !== null && /^https?:$/.test(target.protocol) && target.username === '' && target.password === ''
    ? target
    : null
}

function withoutFragment(address: URL): URL {
  const plain = new URL(address)
  plain.hash = ''
  return plain
}
