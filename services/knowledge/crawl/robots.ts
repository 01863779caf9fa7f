/** What a site allows, as its robots.txt says (RFC 9309). */
export interface Robots {
  /** The longest rule that fits decides; of two as long, the one that allows. */
  allows(address: string): boolean
  readonly sitemaps: readonly string[]
  /** Seconds between two requests, where it wishes for some. */
  readonly delaySeconds: number
}

interface Rule {
  readonly allow: boolean
  readonly path: string
}

/** As the RFC demands at least. */
const MAX_CHARS = 512_000
const MAX_DELAY_SECONDS = 60

/** `agent` is the first word of our user agent. A file that is missing allows all: pass ''. */
export function readRobots(source: string, agent: string): Robots {
  const groups: { agents: string[]; rules: Rule[]; delay: number }[] = []
  const sitemaps: string[] = []
  let naming = false
  for (const line of source.slice(0, MAX_CHARS).split(/[\r\n]+/)) {
    const [, field = '', value = ''] = /^\s*([a-z-]+)\s*:\s*([^#]*?)\s*(?:#.*)?$/i.exec(line) ?? []
    const name = field.toLowerCase()
    if (name === 'sitemap') sitemaps.push(value)
    else if (name === 'user-agent') {
      if (!naming) groups.push({ agents: [], rules: [], delay: 0 })
      groups.at(-1)?.agents.push(value.toLowerCase())
      naming = true
    } else if (name !== '') {
      naming = false
      const group = groups.at(-1)
      if (name === 'crawl-delay' && group !== undefined) group.delay = Math.min(MAX_DELAY_SECONDS, Number(value) || 0)
      else if ((name === 'allow' || name === 'disallow') && value !== '')
        group?.rules.push({ allow: name === 'allow', path: value })
    }
  }
  const named = groups.filter(({ agents }) => agents.some((one) => one !== '*' && agent.toLowerCase().startsWith(one)))
  const mine = named.length > 0 ? named : groups.filter(({ agents }) => agents.includes('*'))
  const rules = mine.flatMap((group) => group.rules)
  return {
    sitemaps,
    delaySeconds: Math.max(0, ...mine.map(({ delay }) => delay)),
    allows(address) {
      const { pathname, search } = new URL(address)
      let best: Rule | null = null
      for (const rule of rules) {
        if (!fits(rule.path, `${pathname}${search}`)) continue
        const longer = best === null || rule.path.length > best.path.length
        if (longer || (rule.path.length === best?.path.length && rule.allow)) best = rule
      }
      return best?.allow ?? true
    },
  }
}

/** "*" is any run of characters, "$" at the end the end. Compared part by part, in time linear in the path. */
function fits(pattern: string, path: string): boolean {
  const toEnd = pattern.endsWith('$')
  const [first = '', ...rest] = (toEnd ? pattern.slice(0, -1) : pattern).split('*')
  if (!path.startsWith(first)) return false
  let at = first.length
  for (const [index, part] of rest.entries()) {
    const last = index === rest.length - 1
    if (last && toEnd) return path.length - part.length >= at && path.endsWith(part)
    const found = path.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return !toEnd || at === path.length
}
