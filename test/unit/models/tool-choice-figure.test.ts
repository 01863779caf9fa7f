import { assert, suite } from '#test/kit/suite.ts'
import { accepted, figure } from '#test/bench/figures/tool-choice.ts'

suite('figure tool-choice', ({ test }) => {
  test('says what is missing when there is no data, and claims nothing', async () => {
    const rows = await figure.run({ dataDir: '/nowhere/at/all', quick: false, say: () => undefined })
    assert.equal(
      rows.map((row) => row.name),
      ['tool-choice/multiple', 'tool-choice/irrelevance', 'tool-choice/simple', 'tool-choice/slots'],
    )
    for (const row of rows) {
      assert.equal([row.value, row.baseline, row.ratio, row.ok], [null, null, null, null])
      assert.match(row.note ?? '', 'bfcl-multiple')
    }
  })

  test('accepts an argument list when each value is one of those allowed, and only optional ones are left out', () => {
    const allowed = { city: ['New York', 'NYC'], days: [3], unit: ['', 'C'] }
    assert.ok(accepted({ city: 'new york', days: 3 }, allowed))
    assert.ok(accepted({ city: 'New-York', days: 3, unit: 'C' }, allowed))
    assert.not.ok(accepted({ city: 'Boston', days: 3 }, allowed), 'another value')
    assert.not.ok(accepted({ city: 'NYC' }, allowed), 'a required one left out')
    assert.not.ok(accepted({ city: 'NYC', days: '3' }, allowed), 'another type')
    assert.not.ok(accepted({ city: 'NYC', days: 3, more: 1 }, allowed), 'one too many')
    assert.ok(accepted({ list: ['a', 'b'] }, { list: [['A', 'b']] }))
    assert.not.ok(accepted({ list: ['b', 'a'] }, { list: [['a', 'b']] }), 'order counts')
    assert.ok(accepted({ guest: { name: 'Bob' } }, { guest: [{ name: ['Bob', 'Robert'], age: ['', 4] }] }))
  })
})
