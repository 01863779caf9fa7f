import { assert, suite } from '#test/kit/suite.ts'

import { checkDocuments, codeBlocks, commandsIn } from './documents.ts'
import { lines, plant } from './plant.ts'

suite('documents', ({ test }) => {
  test('their code is compiled and their commands exist', async () => {
    const { problems, note } = await checkDocuments(await plant('documents'))
    const found = lines(problems)
    assert.match(found[0] ?? '', /^README\.md:10: error TS2305: .*farewell/)
    assert.match(found[1] ?? '', /^README\.md:14: error TS2322/)
    assert.equal(found.slice(2), [
      'README.md:20: package.json has no script "benchmarks"',
      'README.md:22: waggle has no subcommand "answer"',
      'README.md:24: there is no gateway/cli/gone.ts',
    ])
    assert.is(note, '3 ts and 1 sh blocks')
  })

  test('blocks know their place, and a longer fence may hold a shorter one', () => {
    const text = ['a', '````text', '```ts', 'const no = 1', '```', '````', '', '```ts', 'const yes = 1', '```'].join(
      '\n',
    )
    assert.equal(codeBlocks({ path: 'a.md', text }), [
      { document: 'a.md', line: 3, language: 'text', code: '```ts\nconst no = 1\n```' },
      { document: 'a.md', line: 9, language: 'ts', code: 'const yes = 1' },
    ])
  })

  test('commands are read without prompt, settings and comment', () => {
    assert.equal(commandsIn('$ CI=true npm test && npm run bench -- x # why'), [
      ['npm', 'test'],
      ['npm', 'run', 'bench', '--', 'x'],
    ])
    assert.equal(commandsIn('# only a comment'), [])
  })
})
