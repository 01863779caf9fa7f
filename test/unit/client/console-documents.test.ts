import type { LogEntry } from '#shared/contracts/client.ts'
import type { DocumentSummary } from '#shared/contracts/knowledge.ts'
import type { Api } from '#gateway/console/src/api.ts'
import { DocumentList } from '#gateway/console/src/knowledge/document-list.ts'
import { assert, suite } from '#test/kit/suite.ts'

const READING: DocumentSummary = {
  id: 'd1',
  collection: 'manuals',
  title: 'Lamps',
  source: { kind: 'upload', name: 'lamps.pdf' },
  mime: 'application/pdf',
  tags: [],
  metadata: {},
  access: [],
  state: 'parsing',
  version: 1,
  liveVersion: null,
  pagesDone: 0,
  pagesTotal: null,
  chunks: 0,
  tokens: 0,
  bytes: 10,
  language: '',
  error: null,
  createdAt: 0,
  updatedAt: 0,
}

/** A list in front of a gateway that answers what it is told to, when it is told to. */
function made(): {
  list: DocumentList
  asked: () => number
  answer: (documents: readonly DocumentSummary[]) => Promise<void>
  hear: (change: Partial<DocumentSummary>) => void
} {
  const waiting: ((documents: readonly DocumentSummary[]) => void)[] = []
  let asked = 0
  let listener: (entry: LogEntry) => void = () => {}
  const api = ((): Promise<unknown> => {
    asked += 1
    return new Promise((resolve) => waiting.push((documents) => resolve({ documents, next: null })))
  }) as Api
  const swarm = {
    onEntry: (heard: (entry: LogEntry) => void) => {
      listener = heard
      return () => (listener = () => {})
    },
  }
  const list = new DocumentList(api, swarm, 'manuals', (flush) => flush())
  return {
    list,
    asked: () => asked,
    answer: async (documents) => {
      waiting.shift()!(documents)
      await new Promise(setImmediate)
    },
    hear: (change) => {
      const { id: documentId, ...rest } = { ...READING, ...change }
      const payload = { documentId, ...rest }
      listener({ id: 'e', scope: 'knowledge', type: 'document:progress', at: 0, cursor: '1', payload } as never)
    },
  }
}

suite('console: the documents of a collection', ({ test }) => {
  test('progress of a known version is shown without asking; its end, and what is new, is read', async () => {
    const { list, asked, answer, hear } = made()
    await answer([READING])
    hear({ pagesDone: 7, pagesTotal: 90 })
    assert.equal(
      list.getSnapshot().documents?.map(({ pagesDone, pagesTotal }) => [pagesDone, pagesTotal]),
      [[7, 90]],
    )
    assert.is(asked(), 1)
    hear({ state: 'ready' })
    assert.is(asked(), 2)
    await answer([{ ...READING, state: 'ready', chunks: 12 }])
    hear({ id: 'd2', state: 'queued' })
    assert.is(asked(), 3)
    list.close()
  })

  test('what happens during a reading is read once more behind it, not beside it', async () => {
    const { list, asked, answer, hear } = made()
    hear({ id: 'd1' })
    hear({ id: 'd2' })
    assert.is(asked(), 1)
    await answer([])
    assert.is(asked(), 2)
    list.close()
  })

  test('of another collection nothing is heard, and after the end nothing is changed', async () => {
    const { list, asked, answer, hear } = made()
    await answer([READING])
    hear({ collection: 'recipes', pagesDone: 3 })
    list.look()
    list.close()
    await answer([])
    hear({ pagesDone: 9 })
    assert.equal(list.getSnapshot().documents, [READING])
    assert.is(asked(), 2)
  })
})
