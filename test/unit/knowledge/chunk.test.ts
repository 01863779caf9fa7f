import fc from 'fast-check'

import { DEFAULT_STRATEGY } from '#services/knowledge/chunk/chunk.ts'
import type { Chunk, ChunkStrategy } from '#services/knowledge/chunk/chunk.ts'
import { chunkPages } from '#services/knowledge/chunk/chunk-pages.ts'
import { canonicalText } from '#services/knowledge/parse/canonical-text.ts'
import type { Block, BlockKind, ParsedPage } from '#services/knowledge/parse/parsed-page.ts'
import { assert, suite } from '#test/kit/suite.ts'

const KINDS: readonly BlockKind[] = ['heading', 'paragraph', 'list', 'table', 'code', 'caption', 'question', 'answer']
const STRATEGIES: readonly ChunkStrategy['kind'][] = ['auto', 'page', 'rows', 'qa', 'sentences']

function block(kind: BlockKind, text: string, level = 0, header = ''): Block {
  return { kind, level: kind === 'heading' ? level || 1 : 0, text, lines: [], header }
}

function page(number: number, blocks: readonly Block[], width = 0): ParsedPage {
  return { number, width, height: width, blocks, ocr: false }
}

/** Text of words, signs, blanks and line ends, some of it in scripts without blanks, some of it one endless word. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'word',
        'Sentence.',
        'a',
        '12345',
        '日本語テキスト',
        '😀',
        'x'.repeat(90),
        'Why?',
        ' | ',
        '\n',
        '- ',
      ),
      fc.string(),
    ),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
  .map((parts) => parts.join(' ').trim())
  .filter((joined) => joined !== '')

const pages = fc
  .array(
    fc.tuple(
      fc.array(fc.tuple(fc.constantFrom(...KINDS), text, fc.integer({ min: 1, max: 6 })), { maxLength: 8 }),
      fc.boolean(),
    ),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((all) =>
    all.map(([blocks, wide], at) =>
      page(
        at + 1,
        blocks.map(([kind, content, level]) => block(kind, content, level)),
        wide ? 612 : 0,
      ),
    ),
  )

const strategy = fc.record({
  kind: fc.constantFrom(...STRATEGIES),
  maxTokens: fc.integer({ min: 1, max: 80 }),
  minTokens: fc.integer({ min: 0, max: 80 }),
  parents: fc.boolean(),
})

suite('chunks', ({ test }) => {
  test('of any document by any strategy are exact, in order, complete and within the cap', () => {
    fc.assert(
      fc.property(pages, strategy, (document, wanted) => {
        const canonical = canonicalText(document)
        const chunks = chunkPages(document, wanted)
        let at = 0
        for (const [ordinal, chunk] of chunks.entries()) {
          assert.is(chunk.ordinal, ordinal)
          assert.is(chunk.text, canonical.slice(chunk.start, chunk.end))
          assert.ok(chunk.start >= at && chunk.end > chunk.start)
          assert.is(canonical.slice(at, chunk.start).trim(), '')
          assert.ok(chunk.tokens <= wanted.maxTokens, `${chunk.tokens} > ${wanted.maxTokens}`)
          assert.ok(chunk.parent === null || (chunk.parent <= ordinal && chunks[chunk.parent]?.parent === chunk.parent))
          assert.ok(chunk.text.isWellFormed() || !canonical.isWellFormed())
          at = chunk.end
        }
        assert.is(canonical.slice(at).trim(), '')
      }),
      { numRuns: 300 },
    )
  })

  test('stand under their headings, and paragraphs that fit are not divided', () => {
    const long = Array.from({ length: 30 }, (_, at) => `Sentence number ${at} of the paragraph.`).join(' ')
    const chunks = chunkPages(
      [
        page(
          1,
          [
            block('heading', 'Manual', 1),
            block('heading', 'Start', 2),
            block('paragraph', long),
            block('paragraph', long),
            block('heading', 'Stop', 2),
            block('paragraph', long),
          ],
          612,
        ),
      ],
      { ...DEFAULT_STRATEGY, maxTokens: 300 },
    )
    assert.equal(texts(chunks), [`Manual\n\nStart\n\n${long}`, long, `Stop\n\n${long}`])
    assert.equal(
      chunks.map(({ headings }) => headings),
      [
        ['Manual', 'Start'],
        ['Manual', 'Start'],
        ['Manual', 'Stop'],
      ],
    )
  })

  test('of a long table bring its header where they begin inside of it', () => {
    const rows = Array.from({ length: 40 }, (_, at) => `Region ${at} | ${at * 10} | open`)
    const table = block('table', ['Name | Sales | State', ...rows].join('\n'), 0, 'Name | Sales | State')
    const chunks = chunkPages([page(1, [table])], { ...DEFAULT_STRATEGY, maxTokens: 100, minTokens: 20 })
    assert.ok(chunks.length > 2)
    assert.is(chunks[0]?.header, '')
    for (const chunk of chunks.slice(1)) {
      assert.is(chunk.header, 'Name | Sales | State')
      assert.match(chunk.text, /^Region \d+ \| /)
    }
    const each = chunkPages([page(1, [table])], { ...DEFAULT_STRATEGY, kind: 'rows' })
    assert.equal(texts(each).slice(0, 2), ['Name | Sales | State\nRegion 0 | 0 | open', 'Region 1 | 10 | open'])
  })

  test('hold a question with its answer, alone', () => {
    const blocks = [
      block('heading', 'FAQ'),
      block('question', 'Who pays?'),
      block('answer', 'We do.'),
      block('question', 'When?'),
      block('answer', 'Soon.'),
      block('answer', 'Really.'),
    ]
    assert.equal(texts(chunkPages([page(1, blocks)], DEFAULT_STRATEGY)), [
      'FAQ',
      'Who pays?\n\nWe do.',
      'When?\n\nSoon.\n\nReally.',
    ])
    const headed = [
      block('heading', 'Who pays?', 2),
      block('paragraph', 'We do.'),
      block('heading', 'When?', 2),
      block('paragraph', 'Soon.'),
    ]
    assert.equal(texts(chunkPages([page(1, headed)], { ...DEFAULT_STRATEGY, kind: 'qa' })), [
      'Who pays?\n\nWe do.',
      'When?\n\nSoon.',
    ])
  })

  test('of slides are one each; small neighbours of a text under one heading are one', () => {
    const slides = [
      page(1, [block('heading', 'Aims'), block('list', '- a\n- b')]),
      page(2, [
        block('heading', 'Means'),
        block('paragraph', 'x'),
        block('heading', 'More', 2),
        block('paragraph', 'y'),
      ]),
    ]
    assert.equal(texts(chunkPages(slides, DEFAULT_STRATEGY)), ['Aims\n\n- a\n- b', 'Means\n\nx\n\nMore\n\ny'])
    const small = [
      block('heading', 'Terms', 1),
      block('heading', 'One', 2),
      block('paragraph', 'x'),
      block('heading', 'Two', 2),
      block('paragraph', 'y'),
      block('heading', 'Other', 1),
      block('paragraph', 'z'),
    ]
    const chunks = chunkPages([page(1, small, 612)], DEFAULT_STRATEGY)
    assert.equal(texts(chunks), ['Terms\n\nOne\n\nx\n\nTwo\n\ny', 'Other\n\nz'])
    assert.equal(chunks[0]?.headings, ['Terms'])
  })

  test('know their pages, their boxes, their language and their passage', () => {
    const long = Array.from({ length: 20 }, (_, at) => `Sentence number ${at} of it.`).join(' ')
    const placed: Block = {
      ...block('paragraph', long),
      lines: [
        { start: 0, end: 100, box: [10, 20, 300, 32] },
        { start: 101, end: long.length, box: [10, 34, 280, 46] },
      ],
    }
    const chunks = chunkPages(
      [page(1, [placed], 612), page(2, [placed], 612), page(3, [placed, placed, placed, placed], 612)],
      { kind: 'auto', maxTokens: 200, minTokens: 150, parents: true },
      () => 'en',
    )
    assert.equal(chunks[0]?.boxes, [{ page: 1, box: [10, 20, 300, 46] }])
    assert.equal(
      chunks.map(({ pages: [first] }) => first),
      [1, 2, 3, 3, 3, 3],
    )
    assert.is(chunks[0]?.language, 'en')
    assert.is(new Set(chunks.map(({ parent }) => parent)).size, 2)
    assert.equal(chunkPages([page(1, [placed])], { ...DEFAULT_STRATEGY, parents: true })[0]?.parent, null)
  })
})

function texts(chunks: readonly Chunk[]): string[] {
  return chunks.map((chunk) => chunk.text)
}
