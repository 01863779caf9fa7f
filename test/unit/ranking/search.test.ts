import fc from 'fast-check'

import { idfOf, textbookBm25 } from '#shared/ranking/bm25.ts'
import { acronymsIn } from '#shared/ranking/expansion.ts'
import { RANKED, WEIGHTED, fuse } from '#shared/ranking/fusion.ts'
import { embedHashed, embedHashedQuery, hashedQueryEmbedder } from '#shared/ranking/hashed-embedder.ts'
import { MemoryIndex, cosine } from '#shared/ranking/memory-index.ts'
import { isNearWord } from '#shared/ranking/near-words.ts'
import { readTerms } from '#shared/ranking/read-terms.ts'
import { search } from '#shared/ranking/search.ts'
import { indexTerms, queryTerms } from '#shared/ranking/terms.ts'
import { assert, suite } from '#test/kit/suite.ts'

function indexOf(texts: readonly string[], title = ''): MemoryIndex {
  const index = new MemoryIndex()
  for (const [at, text] of texts.entries()) {
    const passage = {
      id: String(at),
      documentId: String(at),
      version: 1,
      ordinal: 0,
      title,
      headings: [],
      header: '',
      text,
    }
    index.add({ ...passage, start: 0, pages: [1, 1], language: 'en' }, embedHashed({ text }))
  }
  return index
}

const found = async (texts: readonly string[], question: string, options = {}): Promise<string | undefined> =>
  (await search(indexOf(texts), hashedQueryEmbedder, question, options)).passages[0]?.text

suite('terms', ({ test }) => {
  test('are spans of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
        let last = -1
        for (const { start, end } of readTerms(text)) {
          assert.ok(start > last && end > start && end <= text.length)
          last = start
        }
      }),
    )
  })
  test('of a question meet those of a text that says it otherwise', () => {
    const meets: readonly (readonly [string, string])[] = [
      ['When did it begin?', 'It began in May.'],
      ['Which colours?', 'The color red.'],
      ['1,000', '1000'],
      ['U.S. law', 'the law of the US'],
      ['Zürich', 'zurich'],
      ['naturalize', 'they naturalised'],
      ['東京', '東京都の天気'],
    ]
    for (const [question, text] of meets) {
      const { terms } = indexTerms({ text, title: '', headings: [], header: '' })
      assert.ok(
        queryTerms(question).some(({ term }) => terms.has(term)),
        question,
      )
    }
  })
  test('are function words only when there is nothing else', () => {
    assert.equal(
      queryTerms('who is it').map(({ term }) => term),
      ['w:who', 'w:is', 'w:it'],
    )
    assert.equal(
      queryTerms('who is Ann').map(({ term }) => term),
      ['s:ann', 'w:ann'],
    )
  })
  test('of another language are found by the beginnings of words', () => {
    const { terms } = indexTerms({ text: 'Die Rücksendungen', title: '', headings: [], header: '', language: 'de' })
    assert.ok(
      queryTerms('Rücksendung', { languages: ['de'] }).some(({ term }) => term.startsWith('p:') && terms.has(term)),
    )
  })
})

suite('fusion', ({ test }) => {
  const leg = fc.uniqueArray(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
      score: fc.double({ min: 0.01, max: 9, noNaN: true }),
    }),
    {
      selector: (hit) => hit.id,
      maxLength: 8,
    },
  )
  const sorted = (hits: readonly { id: string; score: number }[]): { id: string; score: number }[] =>
    hits.toSorted((a, b) => b.score - a.score)
  for (const [name, fusion] of [
    ['weighted', WEIGHTED],
    ['by rank', RANKED],
  ] as const)
    test(`${name} is from 0 to 1, and better in both legs is not worse in all`, () => {
      fc.assert(
        fc.property(leg, leg, (one, other) => {
          const fused = fuse(sorted(one), sorted(other), 8, fusion)
          const at = new Map(fused.map((hit, place) => [hit.id, { ...hit, place }]))
          for (const a of at.values()) {
            assert.ok(a.score >= 0 && a.score <= 1 + 1e-9)
            for (const b of at.values()) {
              const better = (x: typeof a.keyword, y: typeof a.keyword): boolean => (x?.share ?? 0) >= (y?.share ?? 0)
              if (better(a.keyword, b.keyword) && better(a.vector, b.vector)) assert.ok(a.score >= b.score - 1e-9)
            }
          }
        }),
      )
    })
  test('a leg that found nothing takes nothing away', () => {
    assert.is(fuse([{ id: 'a', score: 3 }], [], 5, WEIGHTED)[0]?.score, 1)
  })
})

suite('hashed vectors', ({ test }) => {
  test('are the same for the same text, of unit length, and of the stated dimensions', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const vector = embedHashed({ text })
        assert.equal(vector, embedHashed({ text }))
        assert.is(vector.length, 1_024)
        const length = Math.hypot(...vector)
        assert.ok(length === 0 || Math.abs(length - 1) < 1e-4)
      }),
    )
  })
  test('do not change from one release to the next: a stored index would be worthless', () => {
    const vector = embedHashed({ text: 'Refunds are paid within 14 days.', title: 'Policy' })
    const largest = [...vector.entries()].toSorted((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 3)
    assert.equal(
      largest.map(([at]) => at).toSorted((a, b) => a - b),
      PINNED,
    )
  })
  test('forgive spelling, and weigh a question by what is rare', () => {
    const refund = embedHashed({ text: 'refund of the purchase price' })
    const ship = embedHashed({ text: 'shipping of the purchased goods' })
    const asked = embedHashedQuery('refnud purchase', (term) => (term.includes('purchas') ? 0.1 : 3))
    assert.ok(cosine(asked, refund) > cosine(asked, ship))
  })
})

/** Where the three largest components of the vector above lie. */
const PINNED: readonly number[] = [17, 574, 659]

suite('search', ({ test }) => {
  const texts = [
    'Refunds are paid within 14 days to the card that was used.',
    'Shipping takes three days. Express shipping takes one day.',
    'The Value Added Tax (VAT) is shown on the invoice.',
    'Our offices are in Berlin and Vienna. Berlin is open on Saturdays.',
    'Order 4711 was sent in parts. Order 4712 was not.',
  ]
  test('finds what was asked, with every score told', async () => {
    const { passages, coverage } = await search(indexOf(texts), hashedQueryEmbedder, 'When are refunds paid?')
    assert.is(passages[0]?.text, texts[0])
    assert.ok(coverage > 0.8)
    const explain = passages[0]?.explain
    assert.is(explain?.keyword?.rank, 1)
    assert.is(explain?.match.text, 1)
    assert.is(passages[0]?.score, explain?.reranked)
  })
  test('works by keywords alone', async () => {
    const { passages } = await search(indexOf(texts), null, 'Berlin on Saturdays')
    assert.is(passages[0]?.text, texts[3])
    assert.is(passages[0]?.explain.vector, null)
  })
  test('holds on to numbers', async () => {
    assert.is(
      await found([...texts, 'Orders are sent in parts, if the order is large. An order may wait.'], 'order 4711'),
      texts[4],
    )
  })
  test('forgives a misspelt word that stands nowhere', async () => {
    assert.is(await found(texts, 'expres shiping'), texts[1])
  })
  test('covers little of a question about something else, and is told so by a word that stands nowhere', async () => {
    const { coverage } = await search(indexOf(texts), hashedQueryEmbedder, 'Which vaccines are paid by insurance?')
    assert.ok(coverage < 0.38, String(coverage))
  })
  test('asks again with the words of the glossary, and with what an acronym stands for', async () => {
    const glossary = new Map([['money back', ['refunds']]])
    assert.is(await found(texts, 'money back', { glossary }), texts[0])
    assert.equal(acronymsIn('Pay the Value Added Tax (VAT) and the Duty of Customs (DOC).'), [
      { short: 'VAT', long: 'Value Added Tax' },
      { short: 'DOC', long: 'Duty of Customs' },
    ])
    assert.equal(acronymsIn('It was sold (USA) by hand.'), [])
    const { expanded } = await search(indexOf(texts), null, 'added value tax rate abroad', { expandBelow: 1 })
    assert.ok(expanded.length > 0)
  })
  test('puts a copy behind what is different', async () => {
    const copies = [texts[0] ?? '', texts[0] ?? '', 'Refunds of gift cards are paid as vouchers.']
    const { passages } = await search(indexOf(copies), hashedQueryEmbedder, 'refunds paid card')
    assert.is(passages[1]?.text, copies[2])
    assert.is(passages.length, 3)
    assert.is(passages[2]?.explain.duplicate, 1)
  })
  test('lets another judge decide the order', async () => {
    const judge = (_: string, all: readonly { text: string }[]): Promise<number[]> =>
      Promise.resolve(all.map(({ text }) => (text.includes('Berlin') ? 1 : 0)))
    const { passages } = await search(indexOf(texts), hashedQueryEmbedder, 'refunds in Berlin', { judge })
    assert.is(passages[0]?.text, texts[3])
    assert.is(passages[0]?.explain.judged, 1)
  })
  test('of an empty index finds nothing and covers nothing', async () => {
    assert.equal((await search(new MemoryIndex(), hashedQueryEmbedder, 'refunds')).passages, [])
  })
  test('gives the same answer to the same question', async () => {
    const ask = async (): Promise<unknown> =>
      (await search(indexOf(texts), hashedQueryEmbedder, 'shipping days')).passages
    assert.equal(await ask(), await ask())
  })
})

suite('BM25', ({ test }) => {
  test('of a text with one field and no titles ranks as the textbook does', async () => {
    const texts = ['red red fox', 'red fox jumps', 'brown fox sleeps long', 'bear']
    const rank = textbookBm25(texts.map((text, at) => ({ id: String(at), text })))('red fox', 10)
    const { hits } = await indexOf(texts).keyword(
      [
        { term: 's:red', weight: 1 },
        { term: 's:fox', weight: 1 },
      ],
      10,
    )
    assert.equal(hits, rank)
  })
  test('idf falls as a word gets common, and is never negative', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), (frequency, more) => {
        assert.ok(idfOf(frequency, frequency + more) >= idfOf(frequency + 1, frequency + more) || more === 0)
        assert.ok(idfOf(frequency, frequency + more) >= 0)
      }),
    )
  })
})

suite('near words', ({ test }) => {
  test('are one slip away, two in long words, and never another number', () => {
    for (const [one, other] of [
      ['refund', 'refnud'],
      ['shipping', 'shiping'],
      ['ctenophores', 'ctenophhores'],
    ] as const)
      assert.ok(isNearWord(one, other), one)
    for (const [one, other] of [
      ['refund', 'defund'],
      ['cat', 'car'],
      ['a10421', 'a10422'],
      ['refund', 'remain'],
    ] as const)
      assert.not(isNearWord(one, other), one)
  })
})
