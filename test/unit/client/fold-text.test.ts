import fc from 'fast-check'
import { NO_TEXT, foldDelta } from '#gateway/client/fold-text.ts'
import type { StreamedText } from '#gateway/client/fold-text.ts'
import { assert, suite } from '#test/kit/suite.ts'

/** What a run says: it appends, or begins again at an earlier place; some of it never reaches the log. */
const step = fc.record({
  text: fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }),
  back: fc.option(fc.nat({ max: 20 }), { nil: null, freq: 6 }),
  lost: fc.boolean(),
})

suite('client: text from deltas', ({ test }) => {
  test('is the text of the run, after each delta, when none was lost', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let run = ''
        let shown: StreamedText = NO_TEXT
        for (const { text, back } of steps) {
          const offset = back === null ? run.length : Math.max(0, run.length - back)
          run = run.slice(0, offset) + text
          shown = foldDelta(shown, offset, text)
          assert.equal(shown, { text: run, tail: null })
        }
      }),
    )
  })

  test('never shows text in a wrong place when deltas were lost, and is whole again after the text so far was sent', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let run = ''
        let shown: StreamedText = NO_TEXT
        for (const { text, lost } of steps) {
          const offset = run.length
          run += text
          if (!lost) shown = foldDelta(shown, offset, text)
          assert.is(run.startsWith(shown.text), true)
          if (shown.tail !== null) assert.is(run.slice(shown.tail.offset).startsWith(shown.tail.text), true)
        }
        assert.equal(foldDelta(shown, 0, run), { text: run, tail: null })
      }),
    )
  })

  test('holds what begins beyond the text, lets it grow, and drops it for what comes later in the log', () => {
    const held = foldDelta(foldDelta({ text: 'He', tail: null }, 6, 'wor'), 9, 'ld')
    assert.equal(held, { text: 'He', tail: { offset: 6, text: 'world' } })
    assert.equal(foldDelta(held, 8, 'd!'), { text: 'He', tail: { offset: 6, text: 'wod!' } })
    assert.equal(foldDelta(held, 2, 'llo, you'), { text: 'Hello, you', tail: null })
  })
})
