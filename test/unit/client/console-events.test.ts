import { emptySwarm, reduceSwarm } from '#gateway/client/swarm-state.ts'
import { KNOWN_TYPES } from '#gateway/client/known-entry.ts'
import { familyOf, filterRows } from '#gateway/console/src/swarm/event-filter.ts'
import { rowInWords } from '#gateway/console/src/swarm/row-words.ts'
import { EVENTS } from '#shared/contracts/event-map.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { makeLog } from './made-log.ts'

suite('console: the list of events', ({ test }) => {
  const { rows } = reduceSwarm(emptySwarm(), makeLog(11, 6).entries)

  test('knows every event of the map, and has a family for each', () => {
    assert.equal([...KNOWN_TYPES].toSorted(), Object.keys(EVENTS).toSorted())
    for (const type of KNOWN_TYPES) assert.ok(familyOf(type) !== null, type)
  })

  test('has words for every event it knows', () => {
    for (const row of rows) {
      if (row.entry.type === 'weather:changed') assert.is(rowInWords(row), '')
      else assert.ok(rowInWords(row).length > 0, row.entry.type)
    }
  })

  test('shows all without a filter, as the same list', () => {
    assert.is(filterRows(rows, { families: new Set(), text: ' ', conversationId: '' }, rowInWords), rows)
  })

  test('filters by family, words and conversation together', () => {
    const tools = filterRows(rows, { families: new Set(['tools']), text: '', conversationId: '' }, rowInWords)
    assert.ok(tools.length > 0)
    assert.ok(tools.every(({ entry }) => entry.type.startsWith('tool:')))
    const done = filterRows(rows, { families: new Set(['tools']), text: 'DONE', conversationId: 'conv1' }, rowInWords)
    assert.ok(done.length > 0 && done.length < tools.length)
    assert.equal(filterRows(rows, { families: new Set(), text: '', conversationId: 'other' }, rowInWords), [])
  })
})
