import { knowledgeHash, passageHash, placeIn } from '#gateway/console/src/place.ts'
import { linkOf } from '#services/knowledge/answer/citations.ts'
import { assert, suite } from '#test/kit/suite.ts'

suite('console: where an address leads', ({ test }) => {
  test('the link of a citation is the address of its passage, whatever the document is called', () => {
    for (const documentId of ['01m8p60caq2b6y77b7s3txdytp', 'a b/c%2F#?ü'])
      assert.equal(placeIn(linkOf(documentId, 3, 12, 40).slice(1)), {
        page: 'passage',
        documentId,
        version: 3,
        start: 12,
        end: 40,
      })
    const place = { documentId: 'd', version: 1, start: 0, end: 9 }
    assert.is(`/${passageHash(place)}`, linkOf('d', 1, 0, 9))
  })

  test('a damaged address is no page, and never throws', () => {
    for (const hash of ['#/documents/d', '#/documents/d/1/9', '#/documents/d/x/0-9', '#/documents//1/0-9', '#/nothing'])
      assert.equal(placeIn(hash), { page: 'unknown' }, hash)
    assert.equal(placeIn('#/knowledge/%E0%A4%A'), { page: 'knowledge', collection: '%E0%A4%A', view: 'documents' })
  })

  test('a conversation, or nothing, is the chat', () => {
    for (const hash of ['', '#', '#c=01m8', '#token=a.b.c']) assert.equal(placeIn(hash), { page: 'chat' }, hash)
  })

  test('a view of a collection is found again', () => {
    assert.equal(placeIn(knowledgeHash('handbook', 'search')), {
      page: 'knowledge',
      collection: 'handbook',
      view: 'search',
    })
    assert.equal(placeIn(knowledgeHash(null)), { page: 'knowledge', collection: null, view: 'documents' })
  })
})
