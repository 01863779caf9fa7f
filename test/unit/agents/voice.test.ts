import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import { ANSWER_MAX_CHARS, FLUSH_MS, Voice } from '#services/agents/voice.ts'
import type { VoiceGate } from '#services/agents/voice.ts'
import { assert, suite } from '#test/kit/suite.ts'

const open = (): VoiceGate => ({ push: (piece) => piece, end: () => '', blocked: null, checks: () => [] })

function spoken(spokeBefore = false, gate: () => VoiceGate = open) {
  const clock = new SimClock()
  const deltas: { offset: number; text: string }[] = []
  const voice = new Voice(gate, (offset, text) => deltas.push({ offset, text }), spokeBefore, clock)
  const folded = (): string => deltas.reduce((text, delta) => text.slice(0, delta.offset) + delta.text, '')
  return { clock, deltas, voice, folded }
}

suite('the voice of a run', ({ test }) => {
  test('says the first piece at once and gathers the later ones for FLUSH_MS', async () => {
    const { clock, deltas, voice } = spoken()
    await voice.say('Your ')
    assert.equal(deltas, [{ offset: 0, text: 'Your ' }])
    await voice.say('order ')
    await voice.say('ships')
    await clock.advance(FLUSH_MS - 1)
    assert.is(deltas.length, 1)
    await clock.advance(1)
    assert.equal(deltas.slice(1), [{ offset: 5, text: 'order ships' }])
    assert.is(clock.armed, 0)
  })

  test('never ends a delta between the halves of a surrogate pair, and counts in UTF-16 code units', async () => {
    const { clock, deltas, voice, folded } = spoken()
    await voice.say('a\u{1f41d}'.slice(0, 2))
    assert.equal(deltas, [{ offset: 0, text: 'a' }])
    await clock.advance(FLUSH_MS)
    assert.is(deltas.length, 1, 'half a bee is not said')
    await voice.say('\u{1f41d}'.slice(1))
    await voice.say('b')
    await clock.advance(FLUSH_MS)
    assert.equal(deltas.slice(1), [{ offset: 1, text: '\u{1f41d}b' }])
    await voice.say('\ud83d')
    await voice.finish()
    assert.equal(deltas.at(-1), { offset: 4, text: '\ufffd' }, 'what stays half is no text')
    assert.is(folded(), voice.text)
  })

  test('cuts at its first word what an earlier attempt may have said', () => {
    assert.equal(spoken(true).deltas, [{ offset: 0, text: '' }])
    assert.equal(spoken(false).deltas, [])
  })

  test('a restart withdraws what was said, gathered or held back, and says nothing where nothing was said', async () => {
    const { clock, deltas, voice } = spoken()
    voice.restart()
    assert.equal(deltas, [])
    await voice.say('one ')
    await voice.say('two\ud83d')
    voice.restart()
    await voice.say('three')
    await clock.advance(FLUSH_MS)
    assert.equal(deltas, [
      { offset: 0, text: 'one ' },
      { offset: 0, text: '' },
      { offset: 0, text: 'three' },
    ])
    assert.is(voice.heard, 'three')
  })

  test('a repeat says the whole text, so that a reader who missed a delta folds to it', async () => {
    const { clock, deltas, voice } = spoken()
    await voice.say('one ')
    await voice.say('two ')
    await clock.advance(FLUSH_MS)
    deltas.splice(0, 1)
    voice.repeat()
    assert.equal(deltas.at(-1), { offset: 0, text: 'one two ' })
  })

  test('says what was released when it closes, and leaves no timer', async () => {
    const { clock, voice, folded } = spoken()
    await voice.say('one ')
    await voice.say('two')
    voice.close()
    assert.is(folded(), 'one two')
    assert.is(clock.armed, 0)
  })

  test('refuses an answer that no event of the log could hold', async () => {
    const { voice } = spoken()
    await voice.say('x'.repeat(ANSWER_MAX_CHARS))
    try {
      await voice.say('x')
      assert.unreachable()
    } catch (error) {
      assert.is((error as { code: string }).code, 'TOO_LARGE')
    }
  })
})
