import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { z } from 'zod'
import { Discarded, LetterSummary, Purged, Replayed } from '#shared/contracts/letter.ts'
import { usage } from '../cli-error.ts'
import { findEndpoint } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { readJson } from '../read-json.ts'
import { request } from '../rest.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount, parseDuration, withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'
import { letterPage, letterRow } from './letter-lines.ts'

const LIST_LIMIT = 50

const Letters = z.object({ letters: z.array(LetterSummary), next: z.string().nullish() })
/** As it comes over REST; more fields than these are shown as they are. */
const Letter = LetterSummary.loose()
const Sent = z.object({ id: z.string() })

const HELP = `
A message that could not be handled is kept with its payload, error, attempts, history and trace. Replaying one sends it
again as a new attempt, in the same trace; with --edit, with another payload. Without an id, replay and discard take
those that --code, --kind and --since name; --all takes every one. What was replayed or discarded is kept for a while.

Examples:
  waggle dlq list --kind agent --since 2h
  waggle dlq show 01jd…
  waggle dlq replay 01jd…
  waggle dlq show 01jd… --json | jq .payload > fixed.json
  waggle dlq replay 01jd… --edit fixed.json
  waggle dlq replay --code GAVE_UP --since 1d
  waggle dlq discard 01jd…
  waggle dlq purge --older 30d
`

interface Filter {
  code?: string
  kind?: string
  since?: number
  all?: boolean
}

export function addDeadLetters(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const dlq = program
    .command('dlq')
    .summary('dead letters: list, show, replay, discard, purge')
    .description('Messages that could not be handled.')
    .addHelpText('after', HELP)
    .showHelpAfterError()
  const print = (json: boolean | undefined, value: unknown, words: string): void =>
    terminal.out(json === true ? `${JSON.stringify(value)}\n` : `${words}\n`)

  filtered(withEndpoint(dlq.command('list').description('The latest dead letters, newest first.')))
    .option('--state <state>', 'buried, replayed or discarded')
    .option('-n, --limit <count>', 'how many', parseCount, LIST_LIMIT)
    .option('--after <place>', 'those behind the place that the page before ended with')
    .option('--json', 'print JSON')
    .action(
      async (options: WithEndpoint<Filter & { limit: number; after?: string; state?: string; json?: boolean }>) => {
        const { after, state, limit } = options
        const given = { limit, after, state, ...filterOf(options) }
        const query = new URLSearchParams(
          Object.entries(given).flatMap<[string, string]>(([name, value]) =>
            value === undefined ? [] : [[name, String(value)]],
          ),
        )
        const endpoint = await findEndpoint(options, terminal)
        const { letters, next } = await request(endpoint, `dead-letters?${query.toString()}`, Letters)
        if (options.json === true) terminal.out(`${JSON.stringify(letters, null, 2)}\n`)
        else if (letters.length === 0) terminal.err('There are no dead letters.\n')
        else for (const letter of letters) terminal.out(`${letterRow(letter, terminal)}\n`)
        if (options.json !== true && next) terminal.err(terminal.errColors.dim(`more with --after ${next}\n`))
        done(ExitCode.ok)
      },
    )

  withEndpoint(dlq.command('show').description('One dead letter with payload, error and history.').argument('<id>'))
    .option('--json', 'print JSON')
    .action(async (id: string, options: WithEndpoint<{ json?: boolean }>) => {
      const endpoint = await findEndpoint(options, terminal)
      const letter = await request(endpoint, `dead-letters/${encodeURIComponent(id)}`, Letter)
      if (options.json === true) terminal.out(`${JSON.stringify(letter, null, 2)}\n`)
      else terminal.out(`${letterPage(letter, terminal)}\n`)
      done(ExitCode.ok)
    })

  filtered(withEndpoint(dlq.command('replay').description('Sends dead letters again.').argument('[id]')))
    .option('--all', 'every one about which nobody has decided')
    .option('--edit <file>', 'with this payload (JSON) instead of its own; - reads stdin')
    .option('--payload <file>', 'the same as --edit')
    .option('--json', 'print JSON')
    .action(
      async (
        id: string | undefined,
        options: WithEndpoint<Filter & { edit?: string; payload?: string; json?: boolean }>,
      ) => {
        const file = options.edit ?? options.payload
        if (id === undefined && file !== undefined)
          throw usage('An edited payload is for one letter.', 'Name it: waggle dlq replay ID --edit FILE')
        const path = oneOrMany(id, options, 'replay')
        const body =
          id === undefined ? filterOf(options) : file === undefined ? {} : { payload: await readJson(file, terminal) }
        const endpoint = await findEndpoint(options, terminal)
        if (id !== undefined) {
          const sent = await request(endpoint, path, Sent, { method: 'POST', body })
          print(options.json, sent, `sent again as ${sent.id}`)
          return done(ExitCode.ok)
        }
        const answer = await request(endpoint, path, Replayed, { method: 'POST', body })
        for (const { letter, code, reason } of answer.failed) terminal.err(`${letter}  ${code}: ${reason}\n`)
        print(options.json, answer, `${answer.replayed.length} sent again${more(answer)}`)
        done(answer.failed.length === 0 ? ExitCode.ok : ExitCode.failed)
      },
    )

  filtered(withEndpoint(dlq.command('discard').description('Says that nobody needs them.').argument('[id]')))
    .option('--all', 'every one about which nobody has decided')
    .option('--json', 'print JSON')
    .action(async (id: string | undefined, options: WithEndpoint<Filter & { json?: boolean }>) => {
      const path = oneOrMany(id, options, 'discard')
      const endpoint = await findEndpoint(options, terminal)
      const body = id === undefined ? filterOf(options) : {}
      if (id !== undefined) {
        await request(endpoint, path, z.object({}), { method: 'POST', body })
        print(options.json, { discarded: 1, left: false }, 'discarded')
      } else {
        const answer = await request(endpoint, path, Discarded, { method: 'POST', body })
        print(options.json, answer, `${answer.discarded} discarded${more(answer)}`)
      }
      done(ExitCode.ok)
    })

  withEndpoint(dlq.command('purge').description('Removes old ones for good; for administrators.'))
    .requiredOption('--older <time>', 'those buried longer ago than this, such as 30d', parseAge)
    .option('--undecided', 'also those that nobody replayed or discarded')
    .option('--json', 'print JSON')
    .action(async (options: WithEndpoint<{ older: number; undecided?: boolean; json?: boolean }>) => {
      const endpoint = await findEndpoint(options, terminal)
      const body = { before: Date.now() - options.older, undecided: options.undecided === true }
      const answer = await request(endpoint, 'dead-letters/purge', Purged, { method: 'POST', body })
      print(options.json, answer, `${answer.purged} removed${more(answer)}`)
      done(ExitCode.ok)
    })
}

function filtered(command: Command): Command {
  return command
    .option('--code <code>', 'of this error, such as GAVE_UP')
    .option('--kind <kind>', 'for actors of this kind, such as agent; in and out for bridges')
    .option('--since <time>', 'not older than this, such as 2h or 7d', parseAge)
}

function filterOf({ code, kind, since }: Filter): { code?: string; kind?: string; since?: number } {
  return {
    ...(code === undefined ? {} : { code }),
    ...(kind === undefined ? {} : { kind }),
    ...(since === undefined ? {} : { since: Date.now() - since }),
  }
}

/** Nobody decides about all of them by leaving something out. */
function oneOrMany(id: string | undefined, options: Filter, verb: string): string {
  const named = Object.keys(filterOf(options)).length > 0
  if (id !== undefined && (named || options.all === true))
    throw usage('Either an id, or a filter.', `Say: waggle dlq ${verb} ID, or waggle dlq ${verb} --code CODE`)
  if (id === undefined && !named && options.all !== true)
    throw usage('Which?', `Name an id, --code, --kind or --since, or say --all.`)
  return id === undefined ? `dead-letters/${verb}` : `dead-letters/${encodeURIComponent(id)}/${verb}`
}

function more({ left }: { readonly left: boolean }): string {
  return left ? '; there are more, say it again' : ''
}

/** Like other lengths of time, and days. */
function parseAge(given: string): number {
  const days = /^(\d{1,5})d$/.exec(given)
  if (days !== null) return Number(days[1]) * 86_400_000
  try {
    return parseDuration(given)
  } catch {
    throw new InvalidArgumentError('Give a length of time such as 90s, 2h or 30d.')
  }
}
