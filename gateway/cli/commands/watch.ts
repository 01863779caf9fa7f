import type { Command } from 'commander'
import { knownEntry } from '#gateway/client/known-entry.ts'
import type { KnownEntry } from '#gateway/client/known-entry.ts'
import { entryInWords } from '#gateway/client/words.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { fromClientError } from '../cli-error.ts'
import { connect } from '../connect.ts'
import { noteConnection } from '../connection-notes.ts'
import { ExitCode } from '../exit-code.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount, parseList, withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

const TYPE_COLUMNS = 18
const CONVERSATION_CHARS = 6
const SECONDS_AT = 11
const SECONDS_END = 23

type WatchOptions = WithEndpoint<{
  readonly kind?: readonly string[]
  readonly type?: readonly string[]
  readonly conversation?: string
  readonly after?: string
  readonly json?: boolean
  readonly deltas?: boolean
  readonly limit?: number
}>

const HELP = `
Needs the role of an operator. Goes on by itself after a lost connection, without a gap. When it ends it prints the
cursor to go on from.

Kinds are those of actors: supervisor, agent, run, tool, guardrail, …; an event is of the kind that said it, or that it
is about. Types may end in *.

Examples:
  waggle watch
  waggle watch --kind tool,guardrail
  waggle watch --type 'turn:*' --type letter:buried
  waggle watch --conversation 01jd… --deltas
  waggle watch --json --after 01jd….1042 >> events.jsonl
`

export function addWatch(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  withEndpoint(
    program
      .command('watch')
      .summary('watch the live swarm')
      .description('Prints what the swarm of the tenant does, as it happens.'),
  )
    .option('-k, --kind <kinds>', 'only these kinds of actors', parseList)
    .option('-t, --type <types>', 'only these types of events', parseList)
    .option('-c, --conversation <id>', 'only this conversation')
    .option('--deltas', 'pieces of streamed text too')
    .option('--after <cursor>', 'begin behind this cursor instead of now')
    .option('-n, --limit <count>', 'leave after this many events', parseCount)
    .option('--json', 'print each event as one line of JSON')
    .addHelpText('after', HELP)
    .action(async (options: WatchOptions) => {
      const client = await connect(options, terminal)
      const swarm = client.watch({ after: options.after })
      const wanted = makeFilter(options)
      let printed = 0
      try {
        await new Promise<void>((resolve, reject) => {
          terminal.onInterrupt(resolve)
          swarm.onEntry((entry) => {
            if (!wanted(entry) || (options.limit !== undefined && printed >= options.limit)) return
            printed += 1
            terminal.out(options.json === true ? `${JSON.stringify(entry)}\n` : `${line(entry, terminal)}\n`)
            if (printed === options.limit) resolve()
          })
          swarm.subscribe(() => {
            const { phase, error } = swarm.getSnapshot()
            if (phase === 'failed' && error !== null) reject(fromClientError(error))
          })
          client.connection.subscribe(() => {
            const { refused, error } = client.connection.getSnapshot()
            if (refused && error !== null) reject(fromClientError(error))
          })
          noteConnection(client, (line) => terminal.err(terminal.errColors.dim(`${line}\n`)))
        })
        const { cursor } = swarm.latest.state
        if (cursor !== null) terminal.err(terminal.errColors.dim(`go on with --after ${cursor}\n`))
        done(ExitCode.ok)
      } finally {
        client.close()
      }
    })
}

/** Which entries were asked for. */
export function makeFilter(
  options: Pick<WatchOptions, 'kind' | 'type' | 'conversation' | 'deltas'>,
): (entry: LogEntry) => boolean {
  const { kind, type, conversation } = options
  const deltas = options.deltas === true || (type ?? []).some((pattern) => /^(?:text|draft):/.test(pattern))
  return (entry) => {
    if (conversation !== undefined && entry.conversationId !== conversation) return false
    if (entry.type.endsWith(':delta') && !deltas) return false
    if (type !== undefined && !type.some((pattern) => matches(pattern, entry.type))) return false
    return kind === undefined || kindsOf(entry).some((one) => kind.includes(one))
  }
}

function matches(pattern: string, type: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type
}

/** Who said it, whom it is about, and what its noun is. */
function kindsOf(entry: LogEntry): readonly string[] {
  const speaker = entry.by.split('/')[0] ?? ''
  const noun = entry.type.split(':')[0] ?? ''
  const known = knownEntry(entry)
  return known?.type === 'actor:changed' || known?.type === 'letter:buried'
    ? [speaker, noun, known.payload.kind]
    : [speaker, noun]
}

function line(entry: LogEntry, terminal: Terminal): string {
  const { outColors: colors } = terminal
  const time = new Date(entry.at).toISOString().slice(SECONDS_AT, SECONDS_END)
  const known = knownEntry(entry)
  const words = known === null ? '' : entryInWords(known)
  const room = Math.max(20, terminal.columns - time.length - TYPE_COLUMNS - CONVERSATION_CHARS - 6)
  const shown = words.length <= room ? words : `${words.slice(0, room - 1)}…`
  const type = paint(known, entry.type.padEnd(TYPE_COLUMNS), terminal)
  return `${colors.dim(time)}  ${type} ${colors.dim(entry.conversationId.slice(-CONVERSATION_CHARS))}  ${shown}`
}

function paint(entry: KnownEntry | null, text: string, { outColors: colors }: Terminal): string {
  if (entry === null) return text
  switch (entry.type) {
    case 'message:received':
    case 'message:completed':
    case 'message:steered':
    case 'branch:changed':
      return colors.yellow(text)
    case 'turn:started':
    case 'turn:ended':
    case 'route:decided':
    case 'agent:speaking':
      return colors.cyan(text)
    case 'tool:called':
    case 'tool:returned':
      return colors.blue(text)
    case 'guardrail:checked':
      return entry.payload.verdict === 'pass' ? colors.magenta(text) : colors.red(text)
    case 'run:started':
    case 'run:progress':
    case 'run:ended':
      return colors.green(text)
    case 'letter:buried':
    case 'message:retracted':
    case 'message:flagged':
    case 'message:undelivered':
      return colors.red(text)
    case 'actor:changed':
      return entry.payload.state === 'crashed' ? colors.red(text) : colors.dim(text)
    case 'budget:warned':
    case 'budget:spent':
    case 'loop:cut':
      return colors.red(text)
    case 'log:moved':
    case 'turn:transferred':
    case 'document:progress':
    case 'document:removed':
    case 'document:swept':
    case 'answer:curated':
    case 'index:built':
      return colors.cyan(text)
    case 'human:offered':
    case 'review:changed':
    case 'run:parked':
    case 'control:changed':
    case 'control:briefed':
    case 'offer:changed':
    case 'assignment:changed':
    case 'budget:raised':
      return colors.bold(text)
    case 'note:added':
    case 'whisper:delivered':
    case 'whisper:missed':
    case 'draft:completed':
    case 'draft:decided':
      return colors.magenta(text)
    case 'conversation:opened':
    case 'activation:opened':
    case 'text:delta':
    case 'draft:delta':
    case 'read:marked':
      return text
  }
}
