import type { ConversationState } from '#gateway/client/conversation-state.ts'
import { knownEntry } from '#gateway/client/known-entry.ts'
import type { EntryOf } from '#gateway/client/known-entry.ts'
import {
  argsInWords,
  entryInWords,
  msInWords,
  reportInWords,
  reviewInWords,
  routeInWords,
  toolStatusInWords,
  valueInWords,
  verdictInWords,
  placeInWords,
} from '#gateway/client/words.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { StreamPrinter } from './stream-printer.ts'
import type { Terminal } from './terminal.ts'

const RESULT_CHARS = 160

export interface TurnPrinterOptions {
  /** Route, steps, tools and guardrails beside the answer. */
  readonly trace: boolean
  /** Which turns are told of. */
  readonly wanted: (turnId: string) => boolean
}

/** Tells what happens in a conversation: answers on stdout as they are streamed, everything else dimmed on stderr. */
export class TurnPrinter {
  readonly #stream: StreamPrinter
  readonly #terminal: Terminal
  readonly #options: TurnPrinterOptions

  constructor(terminal: Terminal, options: TurnPrinterOptions) {
    this.#terminal = terminal
    this.#options = options
    this.#stream = new StreamPrinter(terminal)
  }

  /** What a state says of the wanted turns' answers; also after a snapshot. */
  sync(state: ConversationState): void {
    for (const message of state.messages) {
      if (message.role === 'user' || message.turnId === null || !this.#options.wanted(message.turnId)) continue
      this.#stream.sync(message)
    }
  }

  entry(entry: LogEntry, state: ConversationState): void {
    this.sync(state)
    const known = knownEntry(entry)
    if (known === null || !this.#options.trace) return
    if ('turnId' in known.payload && !this.#options.wanted(known.payload.turnId ?? '')) return
    const { errColors } = this.#terminal
    switch (known.type) {
      case 'route:decided':
        this.note(`→ ${routeInWords(known.payload)} ${took(known.payload.ms)}`)
        return
      case 'agent:speaking':
        this.note(`● ${known.payload.title} speaks`)
        return
      case 'run:progress':
        if (known.payload.label !== '') this.note(`· ${known.payload.label}`)
        return
      case 'guardrail:checked':
        this.#verdict(known)
        return
      case 'tool:called':
        this.note(`⚙ ${known.payload.tool}(${argsInWords(known.payload.args)})`)
        return
      case 'tool:returned': {
        const { tool, status, result, ms } = known.payload
        const shown = result === null || result === undefined ? '' : ` ${shorten(valueInWords(result))}`
        const line = `⚙ ${tool} ${toolStatusInWords(status)}${shown} ${took(ms)}`
        this.note(status === 'done' ? line : errColors.yellow(line))
        return
      }
      case 'human:offered':
        this.note(errColors.magenta(`☎ a person was offered: ${known.payload.reason}`))
        return
      case 'review:changed':
        this.note(errColors.magenta(`⏸ ${reviewInWords(known.payload)} (waggle review show ${known.payload.id})`))
        return
      case 'turn:ended':
        this.#ended(known, state)
        return
      case 'message:steered':
        this.note(`↪ it was heard with step ${known.payload.step}`)
        return
      case 'message:flagged':
        this.note(errColors.yellow(`⚑ ${entryInWords(known)}`))
        return
      case 'message:undelivered':
        this.note(errColors.yellow(`↪ it was not heard: ${known.payload.reason}`))
        return
      case 'control:briefed':
      case 'offer:changed':
      case 'note:added':
      case 'whisper:delivered':
      case 'whisper:missed':
      case 'draft:completed':
      case 'draft:decided':
      case 'assignment:changed':
        this.note(`${known.type}: ${entryInWords(known)}`)
        return
      case 'document:progress':
      case 'document:removed':
      case 'document:swept':
      case 'answer:curated':
      case 'index:built':
      case 'draft:delta':
      case 'read:marked':
        return
      case 'control:changed':
        this.note(`⇄ ${known.payload.owner} has the voice: ${known.payload.reason}`)
        return
      // Told by the answer itself, or of no interest to whoever asked.
      case 'conversation:opened':
      case 'message:received':
      case 'message:completed':
      case 'message:retracted':
      case 'text:delta':
      case 'turn:started':
      case 'run:started':
      case 'run:ended':
      case 'run:parked':
      case 'budget:warned':
      case 'budget:spent':
      case 'budget:raised':
      case 'loop:cut':
      case 'turn:transferred':
      case 'actor:changed':
      case 'letter:buried':
      case 'log:moved':
      case 'activation:opened':
      case 'branch:changed':
        return
    }
  }

  note(line: string): void {
    this.#stream.note(line)
  }

  #verdict({ payload }: EntryOf<'guardrail:checked'>): void {
    const { errColors } = this.#terminal
    const line = verdictInWords(payload)
    if (payload.verdict === 'pass') this.note(`✓ ${line} ${took(payload.ms)}`)
    else this.note(payload.verdict === 'block' ? errColors.red(`✗ ${line}`) : errColors.yellow(`~ ${line}`))
  }

  #ended({ payload }: EntryOf<'turn:ended'>, state: ConversationState): void {
    const { errColors } = this.#terminal
    this.#stream.breakLine()
    const sources = state.messages
      .filter((message) => message.turnId === payload.turnId)
      .flatMap(({ citations }) => citations)
    for (const citation of sources)
      this.note(`[${citation.mark}] ${placeInWords(citation)}: “${shorten(citation.quote)}”`)
    if (payload.report !== null) this.note(`■ ${reportInWords(payload.report)}`)
    if (payload.error !== null) {
      this.note(errColors.red(`✗ ${payload.error.code}: ${payload.error.message}`))
      if (payload.error.action !== '') this.note(`  → ${payload.error.action}`)
    }
    this.note(`${payload.outcome} ${took(payload.ms)}`)
  }
}

function took(ms: number): string {
  return `(${msInWords(ms)})`
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= RESULT_CHARS ? line : `${line.slice(0, RESULT_CHARS - 1)}…`
}
