import { KnowledgeClient, withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { SwarmEntry } from '#test/kit/swarm.ts'

const DEADLINE_MS = 60_000

suite('a damaged file', ({ test }) => {
  test(
    'fails at once: what is wrong with it will be wrong the next time too',
    async () => {
      const swarm = await startSwarm({ script: [], host: withKnowledge() })
      await swarm.node('k1')
      const gateway = await openGateway(swarm.nats.url, TENANT)
      try {
        const olga = await KnowledgeClient.of(gateway)
        await olga.collection('handbook')
        const { documentId } = await olga.give('handbook', 'broken.docx', 'PK\u0003\u0004 and nothing behind it')
        const stateOf = ({ event }: SwarmEntry): string | null => {
          const { documentId: of, state } = event.payload as { documentId?: string; state: string }
          return event.type === 'document:progress' && of === documentId ? state : null
        }
        const entries = await swarm.until('knowledge', (entry) => stateOf(entry) === 'failed', DEADLINE_MS)
        assert.equal(
          entries.map(stateOf).filter((state) => state !== null),
          ['queued', 'parsing', 'failed'],
        )
        const { error } = await olga.settled(documentId)
        assert.is(error?.code, 'DOCUMENT_TYPE')
      } finally {
        await gateway.close()
        await swarm.close()
      }
    },
    { deadlineMs: DEADLINE_MS },
  )
})
