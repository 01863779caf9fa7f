import type { SearchResult } from '#shared/contracts/knowledge.ts'
import { makePdf } from '#test/bench/documents/make-pdf.ts'
import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'

const PAGES = 24
/** The page in the middle of which reading is held; by then more pages are read than may wait to be stored. */
const HELD = 20

suite('reading that somebody cancels', ({ test }) => {
  test('stops, keeps what is read, and goes on from there when it is tried again', async () => {
    const reached = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    let pages: number[] = []
    /** Every page passes the guardrails as it is read, and begins with its number. */
    const swarm = await startSwarm({
      script: [],
      host: withKnowledge(),
      verdict: async (_stage, text) => {
        const page = Number(/^(\d+)\. /.exec(text)?.[1] ?? 0)
        if (page > 0) pages.push(page)
        if (page === HELD) {
          reached.resolve()
          await released.promise
        }
        return {}
      },
    })
    const gateway = await openGateway(swarm.nats.url, TENANT)
    const kept = async (id: string): Promise<number> => {
      const [row] = await swarm.database.tenant(TENANT, (sql) =>
        sql.query<{ pages: number }>('select count(*)::int as pages from document_pages where document = $1', [id]),
      )
      return row!.pages
    }
    try {
      const olga = await KnowledgeClient.of(gateway)
      await olga.collection('main', { guarded: true })
      const { documentId } = await olga.give('main', 'report.pdf', await makePdf(PAGES, 5))
      await reached.promise
      await olga.call('POST', `documents/${documentId}/cancel`)
      assert.equal((await olga.settled(documentId)).state, 'cancelled')
      const before = await kept(documentId)
      assert.ok(before > 0 && before < HELD, `${before} pages are kept`)
      assert.is(
        pages.every((page) => page <= HELD),
        true,
        'no page is read after it was cancelled',
      )
      const asked = { question: 'yearly report shipments income region', collections: ['main'] }
      assert.is((await olga.call<SearchResult>('POST', 'search', asked)).total, 0)
      const again = olga.call('POST', `documents/${documentId}/cancel`).catch((error: { code: string }) => error.code)
      assert.is(await again, 'CONFLICT')

      pages = []
      released.resolve()
      await olga.call('POST', `documents/${documentId}/retry`)
      const document = await olga.settled(documentId)
      assert.equal(
        [document.state, document.pagesDone, document.pagesTotal],
        ['ready', PAGES, PAGES],
        JSON.stringify(document.error),
      )
      assert.is(await kept(documentId), PAGES)
      assert.equal(
        pages,
        Array.from({ length: PAGES - before }, (_, at) => before + 1 + at),
        'each page that was not kept is read once, and no other',
      )
      assert.ok((await olga.call<SearchResult>('POST', 'search', asked)).total > 0)
    } finally {
      released.resolve()
      await gateway.close()
      await swarm.close()
    }
  })
})
