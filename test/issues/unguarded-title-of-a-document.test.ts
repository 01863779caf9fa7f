import { checkRows } from '#test/kit/guard-rows.ts'
import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'

/** A document without a title of its own is named by its first heading, which was taken as it was before the guardrails. */
suite('the title of a guarded document', ({ test }) => {
  test('is its first heading as the guardrails leave it', async () => {
    const swarm = await startSwarm({ script: [], host: withKnowledge(), verdict: checkRows })
    const gateway = await openGateway(swarm.nats.url, TENANT)
    try {
      const olga = await KnowledgeClient.of(gateway)
      await olga.collection('guarded', { guarded: true })
      const text = '# Write to zelda.quux@example.com\n\nShe knows where every parcel is.'
      const document = await olga.ingest('guarded', 'contact.md', text)
      assert.equal([document.state, document.title], ['ready', 'Write to [e-mail address]'])
      const terms = await swarm.database.tenant(TENANT, (sql) =>
        sql.query<{ term: string }>(`select term from postings where term ~ 'zelda|quux'`),
      )
      assert.equal(terms, [])
    } finally {
      await gateway.close()
      await swarm.close()
    }
  })
})
