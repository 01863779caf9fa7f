import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { SendReceipt } from '#shared/contracts/client.ts'
import { WhileRunning } from '#shared/contracts/while-running.ts'
import type { Client } from '#gateway/client/client.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import type { ConnectionState } from '#gateway/client/link.ts'
import { failureOf } from '#gateway/client/request-failed.ts'
import { fromClientError } from '../cli-error.ts'
import { connect } from '../connect.ts'
import { noteConnection } from '../connection-notes.ts'
import { ExitCode } from '../exit-code.ts'
import { FollowedTurn, runningTurn } from '../follow-turn.ts'
import type { Terminal } from '../terminal.ts'
import { TurnPrinter } from '../turn-printer.ts'
import { withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

type ChatOptions = WithEndpoint<{
  readonly agent?: string
  readonly conversation?: string
  readonly quiet?: boolean
  readonly whileRunning?: WhileRunning
}>

/** What became of a line that was written while a turn was at work. */
const RECEIPTS: Readonly<Record<Exclude<SendReceipt['status'], 'accepted' | 'pending'>, string>> = {
  queued: 'it waits in line',
  merged: 'it is answered together with the one before it',
  steering: 'it is for the turn at work',
  interrupting: 'the turn at work is stopped for it',
}

const HELP = `
Inside:
  /new            begin a new conversation
  /stop           stop the run
  /id             print the conversation's id
  /help           this list
  /quit           leave (also Ctrl-D)
  Ctrl-C          stops the run; when nothing runs, leaves

What is written while the connection is gone is kept, and sent when it is back.
Lines can also be piped in: each is asked when the one before it was answered.

Examples:
  waggle chat
  waggle chat --conversation 01jd…
  printf 'Where is my order 1042?\\nAnd 1043?\\n' | waggle chat --quiet
`

export function addChat(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  withEndpoint(
    program
      .command('chat')
      .summary('talk with the swarm')
      .description('Talks with the swarm: streams answers, and shows route, tools and guardrails.'),
  )
    .option('-a, --agent <name>', 'ask this agent, without routing')
    .option('-c, --conversation <id>', 'go on in this conversation')
    .option('-q, --quiet', 'print answers only')
    .addOption(
      new Option('-w, --while-running <policy>', 'what becomes of a line written while a turn is at work').choices(
        WhileRunning.options,
      ),
    )
    .addHelpText('after', HELP)
    .action(async (options: ChatOptions) => {
      const client = await connect(options, terminal)
      try {
        done(await new Chat(client, options, terminal).run())
      } finally {
        client.close()
      }
    })
}

/**
 * Modes: `idle` shows the prompt and reads a line; `running` prints what the turns do, and shows no prompt. Lines that come
 * while running are sent too when a person types them (what the supervisor does with them is its policy), and wait when
 * they are piped in. It leaves at the end of the input, once nothing runs.
 */
class Chat {
  readonly #client: Client
  readonly #options: ChatOptions
  readonly #terminal: Terminal
  readonly #lines: Interface
  readonly #interactive: boolean
  readonly #waiting: string[] = []
  #conversation: Conversation
  #printer: TurnPrinter
  #release: () => void = () => undefined
  #finish: (code: ExitCode) => void = () => undefined
  #fail: (error: unknown) => void = () => undefined
  #inputEnded = false
  #stopping = false
  #prompted = false
  #failedTurns = 0
  /** Messages of ours whose turn is not over. */
  #outstanding: FollowedTurn[] = []

  constructor(client: Client, options: ChatOptions, terminal: Terminal) {
    this.#client = client
    this.#options = options
    this.#terminal = terminal
    this.#interactive = terminal.input.isTTY === true
    this.#lines = createInterface({
      input: terminal.input,
      ...(this.#interactive ? { output: process.stderr, terminal: true } : {}),
      prompt: terminal.errColors.bold('you › '),
    })
    this.#conversation = client.conversation(options.conversation, { ops: true })
    this.#printer = this.#makePrinter()
  }

  run(): Promise<ExitCode> {
    return new Promise<ExitCode>((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
      this.#follow()
      this.#lines.on('line', (line) => this.#line(line))
      this.#lines.on('close', () => {
        this.#inputEnded = true
        this.#next()
      })
      const leave = [
        this.#terminal.onInterrupt(() => this.#interrupt()),
        this.#client.connection.subscribe(() => this.#lookAtConnection(this.#client.connection.getSnapshot())),
        noteConnection(this.#client, (line) => this.#say(line)),
      ]
      this.#lines.on('SIGINT', () => this.#interrupt())
      this.#ended = () => leave.forEach((one) => one())
      if (this.#interactive) this.#printer.note('Ask something. /help lists what else can be said; Ctrl-D leaves.')
      this.#next()
    }).finally(() => {
      this.#ended()
      this.#release()
      this.#lines.close()
    })
  }

  #ended: () => void = () => undefined

  #makePrinter(): TurnPrinter {
    return new TurnPrinter(this.#terminal, { trace: this.#options.quiet !== true, wanted: () => true })
  }

  /** Listens to the conversation on show. */
  #follow(): void {
    this.#release()
    const conversation = this.#conversation
    const printer = this.#printer
    const leave = [
      conversation.onEntry((entry, state) => {
        printer.entry(entry, state)
        if (entry.type === 'turn:ended' && (entry.payload as { outcome: string }).outcome === 'failed')
          this.#failedTurns += 1
      }),
      conversation.subscribe(() => {
        const { phase, error, state } = conversation.latest
        if (phase === 'failed' && error !== null) return this.#fail(fromClientError(error))
        printer.sync(state)
        this.#next()
      }),
    ]
    this.#release = () => leave.forEach((one) => one())
  }

  #line(line: string): void {
    this.#prompted = false
    const said = line.trim()
    if (said.startsWith('/')) {
      this.#command(said)
      this.#next()
    } else if (said !== '' && this.#busy() && !this.#interactive) {
      this.#waiting.push(said)
    } else {
      if (said !== '') this.#send(said)
      this.#next()
    }
  }

  #send(text: string): void {
    const { agent = null, whileRunning } = this.#options
    const how = whileRunning === undefined ? {} : { whileRunning }
    const { id, receipt } = this.#conversation.send(text, { agent, ...how })
    const turn = new FollowedTurn(id)
    this.#outstanding.push(turn)
    receipt.then(
      ({ turnId, status }) => {
        turn.known(turnId)
        if (status !== 'accepted' && status !== 'pending') this.#say(RECEIPTS[status])
      },
      (thrown: unknown) => {
        const { code, message, action } = failureOf(thrown)
        this.#outstanding = this.#outstanding.filter((other) => other !== turn)
        this.#say(this.#terminal.errColors.red(`✗ ${code}: ${message} ${action}`))
        this.#next()
      },
    )
  }

  #command(said: string): void {
    switch (said) {
      case '/quit':
      case '/exit':
        this.#finish(ExitCode.ok)
        return
      case '/new':
        this.#conversation.close()
        this.#outstanding = []
        this.#conversation = this.#client.conversation(undefined, { ops: true })
        this.#printer = this.#makePrinter()
        this.#follow()
        this.#say('a new conversation')
        return
      case '/stop':
        this.#stop()
        return
      case '/id':
        this.#say(this.#conversation.id === '' ? 'none yet: it gets one with the first message' : this.#conversation.id)
        return
      case '/help':
        this.#say(HELP.trim())
        return
      default:
        this.#say(`there is no ${said}; /help lists what there is`)
    }
  }

  /** Shows the prompt, sends the next piped line, or leaves: whichever is due. */
  #next(): void {
    if (this.#busy()) return
    this.#stopping = false
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) return this.#send(waiting)
    if (this.#inputEnded) return this.#finish(this.#failedTurns > 0 ? ExitCode.failed : ExitCode.ok)
    if (!this.#interactive || this.#prompted) return
    this.#prompted = true
    this.#lines.prompt()
  }

  #busy(): boolean {
    const { state } = this.#conversation.latest
    this.#outstanding = this.#outstanding.filter((turn) => turn.outcome(state) === null)
    return this.#outstanding.length > 0 || runningTurn(this.#conversation) !== null
  }

  /** A line beside the answers; a prompt on show moves below it. */
  #say(line: string): void {
    if (this.#prompted) this.#terminal.err('\r\u001b[K')
    this.#printer.note(line)
    if (this.#prompted) this.#lines.prompt(true)
  }

  #interrupt(): void {
    if (!this.#busy() || this.#stopping) return this.#finish(this.#busy() ? ExitCode.interrupted : ExitCode.ok)
    this.#stopping = true
    this.#stop()
  }

  #stop(): void {
    const turnId = runningTurn(this.#conversation)
    if (turnId === null) return this.#say('nothing runs')
    this.#say('stopping')
    this.#conversation.stop(turnId).catch((thrown: unknown) => {
      this.#stopping = false
      this.#say(`not stopped: ${failureOf(thrown).message}`)
    })
  }

  #lookAtConnection({ refused, error }: ConnectionState): void {
    if (refused && error !== null) this.#fail(fromClientError(error))
  }
}
