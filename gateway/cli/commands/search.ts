import type { Command } from 'commander'
import { SearchResult } from '#shared/contracts/knowledge.ts'
import type { FoundPassage } from '#shared/contracts/knowledge.ts'
import { shorten } from '#gateway/client/words.ts'
import { usage } from '../cli-error.ts'
import { findEndpoint } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { request } from '../rest.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount, parseList, withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

type SearchOptions = WithEndpoint<{
  readonly collection?: readonly string[]
  readonly tag?: readonly string[]
  readonly limit: number
  readonly explain?: boolean
  readonly json?: boolean
}>

const DEFAULT_LIMIT = 5
const TEXT_CHARS = 300

const HELP = `
Examples:
  waggle search "refund policy"
  waggle search "how long does delivery take" --collection handbook --limit 3
  waggle search "warranty" --explain
  waggle search "warranty" --json | jq '.passages[].title'
`

export function addSearch(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  withEndpoint(
    program
      .command('search')
      .summary('find passages in the documents')
      .description('The passages of the documents that answer a question best.')
      .argument('<question...>', 'the question, or words'),
  )
    .option('-c, --collection <name>', 'only this collection; repeatable', parseList)
    .option('--tag <tag>', 'only documents with this label; repeatable', parseList)
    .option('-n, --limit <count>', 'how many', parseCount, DEFAULT_LIMIT)
    .option('--explain', 'show every score that decided a place')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(async (words: readonly string[], options: SearchOptions) => {
      const question = words.join(' ').trim()
      if (question === '') throw usage('The question is empty.', 'Write it behind `waggle search`, in quotes.')
      const { collection: collections = [], tag: tags, limit, explain = false } = options
      const body = { question, collections, limit, explain, filter: tags === undefined ? {} : { tags } }
      const endpoint = await findEndpoint(options, terminal)
      const found = await request(endpoint, 'search', SearchResult, { method: 'POST', body })
      if (options.json === true) terminal.out(`${JSON.stringify(found, null, 2)}\n`)
      else print(found, terminal)
      done(ExitCode.ok)
    })
}

function print(found: SearchResult, terminal: Terminal): void {
  const { outColors: colors, errColors } = terminal
  for (const [at, passage] of found.passages.entries()) {
    terminal.out(`${colors.bold(`${at + 1}. ${placeOf(passage)}`)}  ${colors.dim(passage.score.toFixed(3))}\n`)
    terminal.out(`   ${shorten(passage.text.replaceAll(/\s+/g, ' '), TEXT_CHARS)}\n`)
    if (passage.explain !== null) terminal.out(`   ${colors.dim(JSON.stringify(passage.explain))}\n`)
  }
  if (found.passages.length === 0) terminal.err('Nothing was found.\n')
  const verdict = found.covered ? '' : ', too little for an answer'
  terminal.err(
    errColors.dim(
      `${(found.coverage * 100).toFixed(0)} % of the question covered${verdict}; ${found.total} chunks searched in ${found.ms.toFixed(0)} ms\n`,
    ),
  )
}

function placeOf({ title, headings, pages: [first, last] }: FoundPassage): string {
  const pages = last > 1 ? [first === last ? `page ${first}` : `pages ${first} to ${last}`] : []
  return [title, ...headings.filter((heading) => heading !== title).slice(-1), ...pages].join(' › ')
}
