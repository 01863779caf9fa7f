import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCli } from '#gateway/cli/program.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { withKnowledge } from '#test/kit/knowledge.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import type { OpenGateway } from '#test/kit/open-gateway.ts'
import { scratchFolder } from '#test/kit/scratch.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { TestSwarm } from '#test/kit/swarm.ts'
import { FakeTerminal } from '#test/unit/cli/fake-terminal.ts'

suite('documents from the command line', ({ test, before, after }) => {
  let swarm: TestSwarm
  let gateway: OpenGateway
  let folder: string
  let env: Record<string, string>
  before(async () => {
    folder = await scratchFolder('knowledge-cli')
    swarm = await startSwarm({ script: [], host: withKnowledge() })
    gateway = await openGateway(swarm.nats.url, TENANT)
    env = { WAGGLE_URL: gateway.url, WAGGLE_TOKEN: await gateway.token('olga', ['operator']) }
  })
  after(async () => {
    await gateway.close()
    await swarm.close()
  })

  const run = async (...args: string[]): Promise<FakeTerminal & { code: number }> => {
    const terminal = new FakeTerminal({ env, cwd: folder })
    const code = await runCli(args, terminal)
    return Object.assign(terminal, { code })
  }

  test('a folder is given, each file told, a damaged one with its reason; then it is searched and quoted', async () => {
    const docs = join(folder, 'docs')
    await mkdir(join(docs, 'more'), { recursive: true })
    await writeFile(
      join(docs, 'ferry.md'),
      '# Ferry\n\nThe ferry to the island leaves at noon. Bicycles cost two euros.',
    )
    await writeFile(join(docs, 'more', 'hours.csv'), 'day,opens\nMonday,nine\nSunday,closed\n')
    await writeFile(join(docs, 'broken.pdf'), '%PDF-1.4 broken')
    const given = await run('ingest', 'docs', '--collection', 'island')
    assert.is(given.code, 1, 'one failed')
    assert.match(given.stderr, /✓ docs\/ferry\.md {2}1 page, 1 chunk/)
    assert.match(given.stderr, /✓ docs\/more\/hours\.csv/)
    assert.match(given.stderr, /✗ docs\/broken\.pdf {2}DOCUMENT_/)
    const again = await run('ingest', 'docs/ferry.md', '--collection', 'island')
    assert.equal([again.code, /was here before/.test(again.stderr)], [0, true])
    const found = await run('search', 'when does the ferry leave', '--collection', 'island', '-n', '1')
    assert.match(found.stdout, /1\. Ferry/)
    assert.match(found.stdout, /leaves at noon/)
    const asked = await run('ask', '--collection', 'island', 'When does the ferry to the island leave?')
    assert.is(asked.code, 0, asked.stderr)
    assert.match(asked.stdout, /“The ferry to the island leaves at noon\.” \[1\]/)
    assert.match(asked.stderr, /\[1\] Ferry/)
    const nothing = await run('ask', '--collection', 'island', 'Who painted the Mona Lisa?')
    assert.is(nothing.code, 5)
    assert.match(nothing.stdout, /not in your documents/)
  })

  test('json for programs, and mistakes are told with what to do', async () => {
    await writeFile(join(folder, 'note.txt'), 'The key is under the mat.')
    const given = await run('ingest', 'note.txt', '--json', '--collection', 'island', '--tag', 'secret')
    assert.is((JSON.parse(given.stdout) as { state: string }).state, 'ready')
    const tagged = await run('search', 'key', '--tag', 'secret', '--json')
    assert.is((JSON.parse(tagged.stdout) as { passages: unknown[] }).passages.length, 1)
    assert.equal([(await run('ingest', 'no-such-file.txt')).code, (await run('search', ' ')).code], [2, 2])
    const both = await run('ask', '--collection', 'island', '--agent', 'support', 'Hello?')
    assert.is(both.code, 2)
  })

  test('retrieval is measured on data of anybody, beside the textbook', async () => {
    const corpus = [
      { _id: 'a', title: 'Bees', text: 'Bees dance in the hive to tell where flowers are.' },
      { _id: 'b', title: 'Ants', text: 'Ants lay trails of scent to food.' },
      { _id: 'c', title: 'Bears', text: 'Bears sleep in winter and like honey.' },
    ]
    const queries = [
      { _id: 'q1', text: 'why do bees dance' },
      { _id: 'q2', text: 'which animal sleeps in winter' },
      { _id: 'q3', text: 'nobody knows' },
    ]
    const lines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n')
    await writeFile(join(folder, 'corpus.jsonl'), lines(corpus))
    await writeFile(join(folder, 'queries.jsonl'), lines(queries))
    await writeFile(join(folder, 'qrels.tsv'), 'query-id\tcorpus-id\tscore\nq1\ta\t1\nq2\tc\t1\n')
    const args = [
      'eval',
      'retrieval',
      '--corpus',
      'corpus.jsonl',
      '--queries',
      'queries.jsonl',
      '--qrels',
      'qrels.tsv',
      '--json',
    ]
    const measured = await run(...args)
    assert.is(measured.code, 0, measured.stderr)
    const { documents, questions, waggle } = JSON.parse(measured.stdout) as {
      documents: number
      questions: number
      waggle: { ndcg10: number; recall100: number; mrr: number }
    }
    assert.equal([documents, questions], [3, 2])
    assert.equal(waggle, { ndcg10: 1, recall100: 1, mrr: 1 })
  })
})
