import { assert, suite } from '#test/kit/suite.ts'
import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import { makePdf } from '#test/bench/documents/make-pdf.ts'
import type { SearchResult } from '#shared/contracts/knowledge.ts'

const PAGES = 24

suite('reading that is cut off', ({ test }) => {
  test('goes on on another node, with no page read twice and nothing of it lost', async () => {
    const swarm = await startSwarm({ script: [], host: withKnowledge(), limits: { leaseMs: 1_000 } })
    const gateway = await openGateway(swarm.nats.url, TENANT)
    try {
      const olga = await KnowledgeClient.of(gateway)
      await olga.collection('main')
      await swarm.node('k2')
      const { documentId } = await olga.give('main', 'report.pdf', await makePdf(PAGES, 5))
      const read = await swarm.until('knowledge', ({ event }) => {
        const { pagesDone } = event.payload as { pagesDone?: number }
        return event.type === 'document:progress' && (pagesDone ?? 0) > 0
      })
      const by = read.find(({ event }) => ((event.payload as { pagesDone?: number }).pagesDone ?? 0) > 0)!
      const holder = swarm.nodes.find((node) => node.census().runs > 0)?.node ?? swarm.nodes[0]!.node
      assert.ok(by !== undefined)
      swarm.kill(holder)
      const document = await olga.settled(documentId)
      assert.equal(
        [document.state, document.pagesDone, document.pagesTotal],
        ['ready', PAGES, PAGES],
        JSON.stringify(document.error),
      )
      const pages = await swarm.database.tenant(TENANT, (sql) =>
        sql.query<{ pages: number; begins: number; last: number }>(
          `select count(*)::int as pages, max(page)::int as last, count(distinct begins)::int as begins from document_pages where document = $1`,
          [documentId],
        ),
      )
      assert.equal(pages[0], { pages: PAGES, last: PAGES, begins: PAGES })
      const found = await olga.call<SearchResult>('POST', 'search', {
        question: 'yearly report shipments income region',
        collections: ['main'],
      })
      const chunks = found.passages.map(({ start }) => start)
      assert.is(new Set(chunks).size, chunks.length, 'no chunk is there twice')
    } finally {
      await gateway.close()
      await swarm.close()
    }
  })
})
