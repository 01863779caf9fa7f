import { spanRules } from '#shared/graph/output-guards/span-rules.ts'
import type { InlineRule } from '#shared/graph/output-guards/stream-guard.ts'
import { gatedGate, streamedGate } from '#services/agents/gates.ts'
import { verifyOutput } from '#services/agents/verify-output.ts'
import { canonicalJson } from '#shared/lib/canonical-json.ts'
import { assert, suite } from '#test/kit/suite.ts'

const personal = (action: InlineRule['action']): InlineRule => ({
  guardrail: 'privacy',
  action,
  message: 'No addresses, please.',
  rules: spanRules('personal_data', { entities: ['email'] }),
})

suite('the gates of the output modes', ({ test }) => {
  test('gated: a sentence waits for its end and its check, and nothing comes after a refused one', async () => {
    const asked: string[] = []
    const gate = gatedGate(async (sentence) => {
      asked.push(sentence)
      return sentence.includes('secret') ? { blocked: 'no', text: '' } : { blocked: null, text: sentence.toUpperCase() }
    })
    assert.is(await gate.push('One. Tw'), 'ONE. ')
    assert.is(await gate.push('o secret. Three. '), '')
    assert.is(gate.blocked, 'no')
    assert.is(await gate.end(), '')
    assert.equal(asked, ['One. ', 'Two secret. '], 'what follows a refused one is not even asked about')
  })

  test('streamed: what is masked is masked however it is cut into pieces', async () => {
    const text = 'Write to ada@example.com today.'
    const whole = streamedGate([personal('rewrite')])
    const expected = (await whole.push(text)) + (await whole.end())
    assert.not.ok(expected.includes('ada@'))
    for (let cut = 1; cut < text.length; cut++) {
      const gate = streamedGate([personal('rewrite')])
      const said = (await gate.push(text.slice(0, cut))) + (await gate.push(text.slice(cut))) + (await gate.end())
      assert.is(said, expected, `cut at ${cut}`)
    }
  })

  test('streamed: nothing of what is refused is released, and the reason is there for the customer', async () => {
    const gate = streamedGate([personal('block')])
    let said = ''
    for (const letter of 'Write to ada@example.com today.') said += await gate.push(letter)
    said += await gate.end()
    assert.not.ok(said.includes('ada'))
    assert.is(gate.blocked, 'No addresses, please.')
  })
})

suite('the parts of a run', ({ test }) => {
  test('an answer without a schema must say something; one with a schema is read out of its fence', () => {
    assert.is(verifyOutput({ outputSchema: null }, ' \n').ok, false)
    const outputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
    assert.equal(verifyOutput({ outputSchema }, '```json\n{"n":1}\n```'), { ok: true, data: { n: 1 } })
    assert.is(verifyOutput({ outputSchema }, '{"n":"one"}').ok, false)
    assert.is(verifyOutput({ outputSchema }, 'n is one').ok, false)
  })

  test('the same arguments have the same text, in whatever order they were written', () => {
    assert.is(canonicalJson({ b: [{ d: 1, c: 2 }], a: null }), canonicalJson({ a: null, b: [{ c: 2, d: 1 }] }))
  })
})
