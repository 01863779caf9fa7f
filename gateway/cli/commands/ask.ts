import { text } from 'node:stream/consumers'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { Client } from '#gateway/client/client.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import { msInWords } from '#gateway/client/words.ts'
import type { TurnOutcome } from '#shared/contracts/event-map.ts'
import { CliError, exitCodeOf, usage } from '../cli-error.ts'
import { connect } from '../connect.ts'
import { noteConnection } from '../connection-notes.ts'
import { ExitCode } from '../exit-code.ts'
import { askCollections } from '../knowledge/ask-collections.ts'
import { FollowedTurn } from '../follow-turn.ts'
import type { Terminal } from '../terminal.ts'
import { TurnPrinter } from '../turn-printer.ts'
import { parseDuration, parseList, withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

const DEFAULT_TIMEOUT_MS = 120_000

type AskOptions = WithEndpoint<{
  readonly agent?: string
  readonly collection?: readonly string[]
  readonly conversation?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly timeout: number
}>

const EXAMPLES = `
The answer is written to stdout as it is streamed; route, tools and guardrails are written dimmed to stderr.

Examples:
  waggle ask "Where is my order 1042?"
  waggle ask --quiet "What do I owe?" > answer.txt
  waggle ask --agent billing "I was charged twice"
  waggle ask --conversation 01jd… "And the other one?"
  waggle ask --collection handbook "What is your refund policy?"
  echo "Where is my order 1042?" | waggle ask -
  waggle ask --json "Where is my order 1042?" | jq -r .type
`

export function addAsk(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  withEndpoint(
    program
      .command('ask')
      .summary('ask one question and print the answer')
      .description('Asks one question and prints the answer as it comes.')
      .argument('<question...>', 'the question; - reads it from stdin'),
  )
    .option('-a, --agent <name>', 'ask this agent, without routing')
    .option('-c, --conversation <id>', 'go on in this conversation instead of a new one')
    .option('--collection <name>', 'quote these documents alone, without an agent; repeatable', parseList)
    .option('--json', 'print every event as one line of JSON instead')
    .option('-q, --quiet', 'print the answer only')
    .addOption(
      new Option('--timeout <time>', 'wait no longer than this; the run itself goes on')
        .argParser(parseDuration)
        .default(DEFAULT_TIMEOUT_MS, '2m'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: AskOptions) => {
      const question = await readQuestion(words, terminal)
      if (options.collection !== undefined) {
        if (options.agent !== undefined || options.conversation !== undefined)
          throw usage(
            '--collection is asked without an agent or a conversation.',
            'Leave out --agent and --conversation.',
          )
        return done(await askCollections(question, options.collection, options, terminal))
      }
      const client = await connect(options, terminal)
      try {
        done(await new Ask(client, options, terminal).run(question))
      } finally {
        client.close()
      }
    })
}

async function readQuestion(words: readonly string[], terminal: Terminal): Promise<string> {
  const question = words.length === 1 && words[0] === '-' ? await text(terminal.input) : words.join(' ')
  if (question.trim() === '') throw usage('The question is empty.', 'Write it behind `waggle ask`, in quotes.')
  return question.trim()
}

/** One question: sent, followed to the end of its turn, and told. */
class Ask {
  readonly #options: AskOptions
  readonly #terminal: Terminal
  readonly #conversation: Conversation
  readonly #client: Client

  constructor(client: Client, options: AskOptions, terminal: Terminal) {
    this.#client = client
    this.#options = options
    this.#terminal = terminal
    this.#conversation = client.conversation(options.conversation, { ops: true })
  }

  async run(question: string): Promise<ExitCode> {
    const { agent = null, json, quiet, timeout } = this.#options
    const conversation = this.#conversation
    const sent = conversation.send(question, { agent })
    const turn = new FollowedTurn(sent.id)
    const printer = new TurnPrinter(this.#terminal, { trace: quiet !== true, wanted: (turnId) => turn.is(turnId) })
    const stopListening = conversation.onEntry((entry, state) => {
      turn.look(state)
      if (json === true) this.#terminal.out(`${JSON.stringify(entry)}\n`)
      else printer.entry(entry, state)
    })
    sent.receipt.then(
      (receipt) => turn.known(receipt.turnId),
      () => undefined,
    )
    const leaveInterrupt = this.#onInterrupt(turn, printer)
    try {
      const outcome = await this.#outcome(turn, sent.receipt, timeout, printer)
      if (json !== true) printer.sync(conversation.latest.state)
      return this.#exitCode(outcome, turn)
    } finally {
      leaveInterrupt()
      stopListening()
    }
  }

  /** The first Ctrl-C stops the run and waits for what it says of that; the second does not wait. */
  #interrupted = false
  #onInterrupt(turn: FollowedTurn, printer: TurnPrinter): () => void {
    return this.#terminal.onInterrupt(() => {
      if (this.#interrupted || turn.turnId === null) {
        return this.#abort(new CliError(ExitCode.interrupted, 'Interrupted.', ''))
      }
      this.#interrupted = true
      printer.note('stopping; Ctrl-C again does not wait for it')
      if (turn.turnId !== null)
        void this.#conversation.stop(turn.turnId).catch((thrown: unknown) => this.#abort(thrown))
    })
  }

  #abort: (reason: unknown) => void = () => undefined

  #outcome(
    turn: FollowedTurn,
    receipt: Promise<unknown>,
    timeoutMs: number,
    printer: TurnPrinter,
  ): Promise<TurnOutcome> {
    const conversation = this.#conversation
    const { quiet, json } = this.#options
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        clearTimeout(timer)
        leave.forEach((one) => one())
        how()
      }
      const look = (): void => {
        const { state, phase, error } = conversation.latest
        if (this.#options.json !== true) printer.sync(state)
        const outcome = turn.outcome(state)
        if (outcome !== null) settle(() => resolve(outcome))
        else if (phase === 'failed' && error !== null) {
          settle(() => reject(new CliError(exitCodeOf(error.code), error.message, error.action, error.code)))
        }
      }
      this.#abort = (reason) => settle(() => reject(reason as Error))
      const late = (): void => settle(() => reject(this.#tooLate(timeoutMs)))
      const timer = setTimeout(late, timeoutMs)
      const leave = [
        conversation.subscribe(look),
        ...(quiet === true || json === true ? [] : [noteConnection(this.#client, (line) => printer.note(line))]),
      ]
      receipt.then(look, this.#abort)
      look()
    })
  }

  #tooLate(timeoutMs: number): CliError {
    const { id } = this.#conversation
    return new CliError(
      ExitCode.tooLate,
      `No answer in ${msInWords(timeoutMs)}.`,
      id === '' ? 'Run `waggle doctor`.' : `The run goes on: waggle chat --conversation ${id}`,
      'DEADLINE',
    )
  }

  #exitCode(outcome: TurnOutcome, turn: FollowedTurn): ExitCode {
    const error = this.#conversation.latest.state.turns.find(({ turnId }) => turn.is(turnId))?.error ?? null
    switch (outcome) {
      case 'answered':
      case 'escalated':
        return ExitCode.ok
      case 'refused':
        return ExitCode.refused
      case 'stopped':
        return this.#interrupted ? ExitCode.interrupted : ExitCode.stopped
      case 'failed':
        if (error !== null && this.#options.quiet === true) {
          throw new CliError(exitCodeOf(error.code), error.message, error.action, error.code)
        }
        return error === null ? ExitCode.failed : exitCodeOf(error.code)
    }
  }
}
