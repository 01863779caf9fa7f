import type { Command } from 'commander'
import { z } from 'zod'
import { ReviewAnswer, ReviewList } from '#shared/contracts/review-requests.ts'
import type { Decision, ReviewItem } from '#shared/contracts/review.ts'
import { usage } from '../cli-error.ts'
import { findEndpoint } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { readJson } from '../read-json.ts'
import { request } from '../rest.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount, withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

const LIST_LIMIT = 50
const KIND_COLUMNS = 12
const PAGE_COLUMNS = 12

const HELP = `
What an agent may not do by itself waits here for a person. A decision is about the item as it stands when the command
is given; if somebody was quicker, it says who. An edit replaces all arguments.

Examples:
  waggle review list
  waggle review show 01jd…-1-0
  waggle review approve 01jd…-1-0
  waggle review reject 01jd…-1-0 --reason "the order is too old"
  waggle review show 01jd…-1-0 --json | jq '.proposal | .cents = 500' > args.json
  waggle review edit 01jd…-1-0 --args args.json
  waggle review edit 01jd…-draft --args reply.json --curate
  waggle review answer 01jd…-1-0 --text "It is in the second drawer."
`

const Values = z.record(z.string(), z.unknown())

export function addReviews(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const review = program
    .command('review')
    .summary('items for people: list, show, approve, edit, reject, answer, claim')
    .description("What waits for a person's decision.")
    .addHelpText('after', HELP)
    .showHelpAfterError()
  addReading(review, terminal, done)
  addDecisions(review, terminal, done)
  addClaims(review, terminal, done)
}

function addReading(review: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  withEndpoint(review.command('list').description('What waits, the newest first.'))
    .option('-n, --limit <count>', 'how many', parseCount, LIST_LIMIT)
    .option('--after <place>', 'those behind the place that the page before ended with')
    .option('--all', 'also what was decided')
    .option('--kind <kind>', 'tool_call, draft_reply, question, handoff or budget')
    .option('--team <team>', 'of this team')
    .option('--overdue', 'only what should have been decided by now')
    .option('--json', 'print JSON')
    .action(async (options: WithEndpoint<ListOptions>) => {
      const endpoint = await findEndpoint(options, terminal)
      const { reviews, next } = await request(endpoint, `reviews?${queryOf(options)}`, ReviewList)
      if (options.json === true) terminal.out(`${JSON.stringify(reviews, null, 2)}\n`)
      else if (reviews.length === 0) terminal.err('Nothing waits for a person.\n')
      else for (const item of reviews) terminal.out(`${row(item, terminal)}\n`)
      if (options.json !== true && next !== null) terminal.err(terminal.errColors.dim(`more with --after ${next}\n`))
      done(ExitCode.ok)
    })

  withEndpoint(review.command('show').description('One item with all that is known of it.').argument('<id>'))
    .option('--json', 'print JSON')
    .action(async (id: string, options: WithEndpoint<{ json?: boolean }>) => {
      const item = await itemOf(options, terminal, id)
      terminal.out(options.json === true ? `${JSON.stringify(item, null, 2)}\n` : `${page(item, terminal)}\n`)
      done(ExitCode.ok)
    })
}

function addDecisions(review: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const decide = async (id: string, options: WithEndpoint<{ json?: boolean }>, decision: Decision): Promise<void> => {
    const item = await itemOf(options, terminal, id)
    const { nonce, argsHash } = item
    const body = { nonce, argsHash, decision }
    const decided = await post(options, terminal, item, 'decision', body)
    terminal.out(options.json === true ? `${JSON.stringify(decided, null, 2)}\n` : `${row(decided, terminal)}\n`)
    done(ExitCode.ok)
  }
  const command = (name: string, description: string): Command =>
    withEndpoint(review.command(name).description(description).argument('<id>')).option('--json', 'print JSON')

  command('approve', 'Lets it happen as it is.').action(
    async (id: string, options: WithEndpoint<{ json?: boolean }>) => await decide(id, options, { action: 'approve' }),
  )
  command('edit', 'Lets it happen with other arguments.')
    .requiredOption('--args <file>', 'all of the arguments (JSON); - reads stdin')
    .option('--reason <text>', 'why, for those who train the agent', '')
    .option('--curate', 'of a draft: use this answer for the same question from now on')
    .action(async (id: string, options: WithEndpoint<EditOptions>) => {
      const args = Values.safeParse(await readJson(options.args, terminal))
      if (!args.success) throw usage(`${options.args} holds no JSON object.`, 'Write all arguments as one object.')
      await decide(id, options, { action: 'edit', args: args.data, reason: options.reason, ...curateOf(options) })
    })
  command('reject', 'Does not let it happen; the agent reads why and goes on.')
    .requiredOption('--reason <text>', 'why not')
    .action(
      async (id: string, options: WithEndpoint<{ reason: string; json?: boolean }>) =>
        await decide(id, options, { action: 'reject', reason: options.reason }),
    )
  command('answer', 'Answers in place of the tool, or a question of the agent.')
    .requiredOption('--text <text>', 'the answer')
    .option('--curate', 'of a question: use this answer for the same question of a customer from now on')
    .action(
      async (id: string, options: WithEndpoint<{ text: string; curate?: boolean; json?: boolean }>) =>
        await decide(id, options, { action: 'answer', text: options.text, ...curateOf(options) }),
    )
}

interface EditOptions {
  readonly args: string
  readonly reason: string
  readonly curate?: boolean
  readonly json?: boolean
}

function curateOf({ curate }: { readonly curate?: boolean }): { curate?: true } {
  return curate === true ? { curate } : {}
}

function addClaims(review: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  withEndpoint(review.command('claim').description('Keeps an item for you for a while.').argument('<id>'))
    .option('--back', 'give it back')
    .action(async (id: string, options: WithEndpoint<{ back?: boolean }>) => {
      const item = await itemOf(options, terminal, id)
      const claimed = await post(options, terminal, item, 'claim', { claim: options.back !== true })
      terminal.out(`${row(claimed, terminal)}\n`)
      done(ExitCode.ok)
    })
}

interface ListOptions {
  readonly limit: number
  readonly after?: string
  readonly all?: boolean
  readonly kind?: string
  readonly team?: string
  readonly overdue?: boolean
  readonly json?: boolean
}

function queryOf({ limit, after, all, kind, team, overdue }: ListOptions): string {
  const query = new URLSearchParams({ limit: String(limit) })
  if (all !== true) query.set('state', 'open')
  if (after !== undefined) query.set('after', after)
  if (kind !== undefined) query.set('kind', kind)
  if (team !== undefined) query.set('team', team)
  if (overdue === true) query.set('dueBefore', String(Date.now()))
  return query.toString()
}

async function itemOf(options: WithEndpoint<object>, terminal: Terminal, id: string): Promise<ReviewItem> {
  const endpoint = await findEndpoint(options, terminal)
  return (await request(endpoint, `reviews/${encodeURIComponent(id)}`, ReviewAnswer)).item
}

async function post(
  options: WithEndpoint<object>,
  terminal: Terminal,
  { conversationId, id }: ReviewItem,
  what: 'decision' | 'claim',
  body: object,
): Promise<ReviewItem> {
  const endpoint = await findEndpoint(options, terminal)
  const path = `conversations/${encodeURIComponent(conversationId)}/reviews/${encodeURIComponent(id)}/${what}`
  return (await request(endpoint, path, ReviewAnswer, { method: 'POST', body })).item
}

function row(item: ReviewItem, { outColors: colors }: Terminal): string {
  const { id, kind, title, state, decision, claimedBy, approvals, quorum, dueAt } = item
  const late = state === 'open' && dueAt !== null && dueAt < Date.now()
  const notes = [
    ...(decision === null ? [] : [`by ${decision.by}`]),
    ...(state === 'open' && quorum > 1 ? [`${approvals.length} of ${quorum} approvals`] : []),
    ...(claimedBy === null ? [] : [`with ${claimedBy}`]),
    ...(late ? ['overdue'] : []),
  ]
  const shown = state === 'open' ? colors.yellow(state) : colors.dim(state)
  return [id, colors.dim(kind.padEnd(KIND_COLUMNS)), shown, title, colors.dim(notes.join(', '))].join('  ').trimEnd()
}

function page(item: ReviewItem, { outColors: colors }: Terminal): string {
  const lines: string[] = []
  for (const [name, value] of Object.entries(item)) {
    const shown =
      name.endsWith('At') && typeof value === 'number'
        ? new Date(value).toISOString()
        : typeof value === 'string'
          ? value
          : JSON.stringify(value, null, 2)
    lines.push(
      `${colors.bold(name.padEnd(PAGE_COLUMNS))} ${shown.replaceAll('\n', `\n${' '.repeat(PAGE_COLUMNS + 1)}`)}`,
    )
  }
  return lines.join('\n')
}
