import { readFileSync, readdirSync } from 'node:fs'

import { DEFAULT_STRATEGY } from '#services/knowledge/chunk/chunk.ts'
import { chunkPages } from '#services/knowledge/chunk/chunk-pages.ts'
import { markdownBlocks } from '#services/knowledge/parse/text/read-markdown.ts'
import { embedHashed, hashedQueryEmbedder } from '#shared/ranking/hashed-embedder.ts'
import { MemoryIndex } from '#shared/ranking/memory-index.ts'
import { quoteFrom } from '#shared/ranking/quote.ts'
import { readPassage } from '#shared/ranking/read-passage.ts'
import { search } from '#shared/ranking/search.ts'
import { assert, suite } from '#test/kit/suite.ts'

const HANDBOOK = new URL('../../../deploy/demo/handbook/', import.meta.url)

/** The demo's handbook as it is ingested: read, cut, indexed. */
function handbook(): MemoryIndex {
  const index = new MemoryIndex()
  for (const name of readdirSync(HANDBOOK)) {
    const blocks = markdownBlocks(readFileSync(new URL(name, HANDBOOK), 'utf8'))
    for (const chunk of chunkPages([{ number: 1, width: 0, height: 0, blocks, ocr: false }], DEFAULT_STRATEGY)) {
      const { ordinal, headings, header, text, start, pages } = chunk
      const title = blocks[0]?.text ?? ''
      const id = `${name}.${ordinal}`
      const about = { id, documentId: name, version: 1, ordinal, title, headings, header, language: 'en' }
      index.add({ ...about, text, start, pages }, embedHashed({ text, title, headings }))
    }
  }
  return index
}

suite('headings inside a passage', ({ test }) => {
  const index = handbook()
  const quotes = async (asked: string): Promise<string[]> => {
    const { passages, question } = await search(index, hashedQueryEmbedder, asked)
    return quoteFrom(question, passages).quotes.map(({ text }) => text)
  }
  const RETURNED = 'You can return anything you bought from us within 30 days of delivery, for any reason.'

  test('say what the sentences below are about, and are not quoted', async () => {
    assert.is((await quotes('What is your refund policy?'))[0], RETURNED)
    assert.match((await quotes('opening hours'))[0] ?? '', /^Our people answer from Monday to Friday/)
    assert.match((await quotes('How do I return something?'))[0] ?? '', /^Pack the item in its box/)
  })
  test('are told from short sentences, list items and rows', () => {
    const text = `Refunds

Refund policy

Yes

No refunds on Mondays.

- one item

- another item

as follows:

End`
    const { sentences } = readPassage({ title: '', text })
    const heads = sentences.filter(({ heading }) => heading).map((one) => one.text)
    assert.equal(heads, ['Refunds', 'Refund policy', 'Yes'])
    const under = sentences.find((one) => one.text.startsWith('No refunds'))?.under
    assert.equal([...(under ?? [])].toSorted(), ['polici', 'refund'])
  })
  test('of a table head its rows, of which those are quoted that were asked for', async () => {
    assert.equal(await quotes('How much is express delivery?'), ['Express | next working day | 12.50 euros'])
    const rows = (await quotes('What does delivery cost?')).filter((text) => text.includes(' | '))
    assert.is(rows.length, 3)
    assert.not.ok(rows.includes('way | time | cost'))
  })
  test('of a part of a table stand beside it', () => {
    const part = { title: '', header: 'way | cost', text: 'Standard | 4.90 euros\nExpress | 12.50 euros' }
    assert.equal(
      quoteFrom('What is the cost of express?', [part]).quotes.map(({ text }) => text),
      ['Express | 12.50 euros'],
    )
  })
})
