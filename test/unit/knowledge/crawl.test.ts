import { DEFAULT_SCHEDULE, nextCrawlMs } from '#services/knowledge/crawl/next-crawl.ts'
import { readRobots } from '#services/knowledge/crawl/robots.ts'
import { readWebPage } from '#services/knowledge/crawl/web-page.ts'
import { assert, suite } from '#test/kit/suite.ts'

suite('what a crawler reads', ({ test }) => {
  test('links of the same site, each once, as the base of the page has them', () => {
    const html = `<html><head><base href="/docs/"><link rel="canonical" href="/docs/start"><meta name="robots" content="noindex, follow"></head><body>
      <a href="one#x">1</a><a href="one">1 again</a><a href="https://other.example/x">other</a><a href="javascript:alert(1)">js</a>
      <a href="//shop.example/two?a=1">2</a><a href="three" rel="nofollow">3</a><a href="logo.svg">logo</a><a href="http://u:p@shop.example/x">u</a></body></html>`
    const page = readWebPage(new TextEncoder().encode(html), 'text/html', 'https://shop.example/docs/index.html#top')
    assert.equal(page, {
      canonical: 'https://shop.example/docs/start',
      links: ['https://shop.example/docs/one', 'https://shop.example/two?a=1'],
      noIndex: true,
      noFollow: false,
    })
  })

  test('a canonical address of another site is not believed', () => {
    const html = '<link rel="canonical" href="https://bank.example/">'
    const page = readWebPage(new TextEncoder().encode(html), '', 'https://shop.example/a')
    assert.is(page.canonical, 'https://shop.example/a')
  })

  test('robots.txt: our own group before the general one, the longest rule before the shorter', () => {
    const robots = readRobots(
      'User-agent: *\nDisallow: /\n\nUser-agent: waggle\nUser-agent: other\nDisallow: /private # no\nAllow: /private/open\nDisallow: /*.pdf$\nCrawl-delay: 3\nSitemap: https://a.example/s.xml\n',
      'WaggleBot/1.0',
    )
    const allowed = (path: string): boolean => robots.allows(`https://a.example${path}`)
    assert.equal(['/', '/private/x', '/private/open/x', '/a.pdf', '/a.pdf?x'].map(allowed), [
      true,
      false,
      true,
      false,
      true,
    ])
    assert.is(robots.delaySeconds, 3)
    assert.equal(robots.sitemaps, ['https://a.example/s.xml'])
    assert.not.ok(readRobots('User-agent: *\nDisallow: /', 'waggle').allows('https://a.example/x'))
    assert.ok(readRobots('', 'waggle').allows('https://a.example/x'))
  })

  test('a page that changes is visited sooner, one that does not or fails later, within the bounds', () => {
    const { minMs, maxMs } = DEFAULT_SCHEDULE
    const visit = (intervalMs: number, changed: boolean, failures = 0): number =>
      nextCrawlMs({ intervalMs, changed, failures })
    assert.is(visit(minMs * 10, true), minMs * 5)
    assert.is(visit(minMs * 10, false), minMs * 15)
    assert.is(visit(minMs * 10, false, 2), minMs * 40)
    assert.is(visit(minMs, true), minMs)
    assert.is(visit(maxMs, false, 50), maxMs)
  })
})
