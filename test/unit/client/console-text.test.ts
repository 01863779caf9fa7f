import fc from 'fast-check'
import { cutBlocks, parseBlock, parseSpans } from '#gateway/console/src/chat/rich-text-parse.ts'
import { assert, suite } from '#test/kit/suite.ts'

const line = fc.oneof(
  fc.constantFrom(
    '',
    '- one',
    '2. two',
    '> quoted',
    '```',
    '# head',
    '  more',
    '**bold** and `code`',
    'https://x.example/a.',
  ),
  fc.string({ maxLength: 20 }),
)
const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'))

suite('console: text of an answer', ({ test }) => {
  test('leaves finished blocks as they are while the text grows line by line', () => {
    fc.assert(
      fc.property(text, fc.nat(), (whole, cut) => {
        const lines = whole.split('\n')
        const part = cutBlocks(lines.slice(0, cut % (lines.length + 1)).join('\n'))
        assert.equal(cutBlocks(whole).slice(0, Math.max(0, part.length - 1)), part.slice(0, -1))
      }),
      { numRuns: 500 },
    )
  })

  test('loses no line that says something', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const said = whole.split('\n').filter((one) => one.trim() !== '')
        const kept = cutBlocks(whole)
          .flatMap((block) => block.split('\n'))
          .filter((one) => one.trim() !== '')
        assert.equal(kept, said)
      }),
    )
  })

  test('keeps every character of plain text between its spans', () => {
    fc.assert(
      fc.property(fc.string(), (plain) => {
        const spans = parseSpans(plain)
        if (spans.every(({ kind }) => kind === 'text')) assert.is(spans.map((span) => span.text).join(''), plain)
      }),
    )
  })

  test('reads lists, quotes, headings and code', () => {
    const blocks = cutBlocks(
      'Intro\n- a\n  more\n- b\n\n1. x\n2. y\n> said\n# Title\n```js\nlet a = 1\n\n- no item\n```\nend',
    )
    assert.equal(blocks.map(parseBlock), [
      { kind: 'paragraph', text: 'Intro' },
      { kind: 'list', ordered: false, items: ['a more', 'b'] },
      { kind: 'list', ordered: true, items: ['x', 'y'] },
      { kind: 'quote', text: 'said' },
      { kind: 'heading', text: 'Title' },
      { kind: 'code', text: 'let a = 1\n\n- no item' },
      { kind: 'paragraph', text: 'end' },
    ])
  })

  test('links to the web only, and not to what a model would like to run', () => {
    const hostile =
      '[x](javascript:alert(1)) [y](data:text/html,z) <img src=x onerror=y> [ok](https://waggle.example/a)'
    const links = parseSpans(hostile).filter((span) => span.kind === 'link')
    assert.equal(links, [{ kind: 'link', text: 'ok', href: 'https://waggle.example/a' }])
    assert.equal(parseSpans('see https://a.example/b.'), [
      { kind: 'text', text: 'see ' },
      { kind: 'link', text: 'https://a.example/b', href: 'https://a.example/b' },
      { kind: 'text', text: '.' },
    ])
  })
})
