/** What events mean, in plain words, for people: console and command line say the same. */
import type { EventPayload, TurnOutcome } from '#shared/contracts/event-map.ts'
import type { CheckView, ToolView } from './conversation-state.ts'
import type { KnownEntry } from './known-entry.ts'

const ARGS_CHARS = 120
const WORDS_CHARS = 160

const LOOKED_AT = {
  input: 'your message',
  tool_call: 'the tool call',
  tool_result: 'the tool’s result',
  output: 'the answer',
} as const satisfies Record<CheckView['stage'], string>

/** One verdict: what was looked at, by whom, and what came of it. */
export function verdictInWords(check: Pick<CheckView, 'stage' | 'guardrail' | 'verdict' | 'reason'>): string {
  const what = LOOKED_AT[check.stage]
  const who = `“${asWords(check.guardrail)}”`
  const why = check.reason === '' ? '' : `: ${withoutStop(check.reason)}`
  switch (check.verdict) {
    case 'pass':
      return `${capital(what)} passed ${who}`
    case 'rewrite':
      return `${who} changed ${what}${why}`
    case 'block':
      return `${who} stopped ${what}${why}`
  }
}

/** Checks that let everything pass, in one line. */
export function passedInWords(count: number): string {
  return count === 1 ? '1 check passed' : `${count} checks passed`
}

export function outcomeInWords(outcome: TurnOutcome): string {
  switch (outcome) {
    case 'answered':
      return 'Answered'
    case 'stopped':
      return 'Stopped'
    case 'failed':
      return 'Failed'
    case 'refused':
      return 'Refused'
    case 'escalated':
      return 'Handed to a person'
  }
}

export function toolStatusInWords(status: ToolView['status']): string {
  switch (status) {
    case 'running':
      return 'running'
    case 'done':
      return 'done'
    case 'failed':
      return 'failed'
    case 'unknown':
      return 'outcome unknown'
    case 'denied':
      return 'not allowed'
    case 'answered':
      return 'answered by a person'
  }
}

export function routeInWords(route: Pick<EventPayload<'route:decided'>, 'agent' | 'reason'>, title?: string): string {
  const why = route.reason === '' ? '' : `: ${withoutStop(route.reason)}`
  if (route.agent === null) return `No agent fits${why}`
  return `Routed to ${title === undefined || title === '' ? asWords(route.agent) : title}${why}`
}

/** What stopped, what could not be stopped, and what had happened already (I8). */
export function reportInWords(report: NonNullable<EventPayload<'turn:ended'>['report']>): string {
  const part = (label: string, items: readonly string[]): string[] =>
    items.length === 0 ? [] : [`${label} ${items.join(', ')}`]
  return [
    ...part('stopped', report.stopped),
    ...part('could not stop', report.couldNot),
    ...part('had already happened:', report.happened),
  ].join(' · ')
}

/** One line on an item for a person: what it is, and who did what with it. */
export function reviewInWords(item: EventPayload<'review:changed'>): string {
  const { title, state, decision, approvals, quorum, claimedBy } = item
  if (state !== 'open') return `${title}: ${state}${decision === null ? '' : ` by ${decision.by}`}`
  const counted = quorum > 1 ? `, ${approvals.length} of ${quorum} approvals` : ''
  return `${title}: open${counted}${claimedBy === null ? '' : `, with ${claimedBy}`}`
}

/** One line on any event, without its type. */
export function entryInWords(entry: KnownEntry): string {
  switch (entry.type) {
    case 'conversation:opened':
      return `${entry.payload.user} opened it by ${entry.payload.channel}`
    case 'message:received':
    case 'message:completed':
      return `${entry.payload.author}: ${shorten(entry.payload.text, WORDS_CHARS)}`
    case 'turn:started':
      return `on message ${entry.payload.messageId}`
    case 'turn:ended': {
      const { outcome, ms, error } = entry.payload
      return `${outcomeInWords(outcome).toLowerCase()} after ${msInWords(ms)}${error === null ? '' : `: ${error.code}`}`
    }
    case 'agent:speaking':
      return `${entry.payload.title} speaks`
    case 'run:progress':
      return `${entry.payload.step}: ${entry.payload.label}`
    case 'text:delta':
      return shorten(entry.payload.text, WORDS_CHARS)
    case 'message:retracted':
      return `withdrawn: ${entry.payload.reason}`
    case 'human:offered':
      return `a person was offered: ${entry.payload.reason}`
    case 'control:changed':
      return `${entry.payload.owner} has the voice (${entry.payload.mode}): ${entry.payload.reason}`
    case 'route:decided':
      return routeInWords(entry.payload)
    case 'review:changed':
      return reviewInWords(entry.payload)
    case 'run:parked':
      return `${entry.payload.agent} waits for ${entry.payload.items.length} decision${entry.payload.items.length === 1 ? '' : 's'}`
    case 'run:started': {
      const { agent, attempt, model } = entry.payload
      return `${agent} with ${modelInWords(model)}${attempt > 1 ? `, attempt ${attempt}` : ''}`
    }
    case 'run:ended': {
      const { agent, outcome, steps, usage, ms } = entry.payload
      return `${agent} ${outcome} in ${steps} steps, ${usage.inputTokens + usage.outputTokens} tokens, ${msInWords(ms)}`
    }
    case 'tool:called':
      return `${entry.payload.tool}(${argsInWords(entry.payload.args)})`
    case 'tool:returned':
      return `${entry.payload.tool} ${toolStatusInWords(entry.payload.status)} after ${msInWords(entry.payload.ms)}`
    case 'guardrail:checked':
      return verdictInWords(entry.payload)
    case 'actor:changed': {
      const { kind, key, state, mailbox } = entry.payload
      return `${kind} ${key} ${state}${mailbox > 0 ? `, ${mailbox} waiting` : ''}`
    }
    case 'letter:buried':
      return `${entry.payload.kind} ${entry.payload.type} is a dead letter: ${entry.payload.code} (${entry.payload.letterId})`
    case 'activation:opened':
      return `on ${entry.payload.node}`
  }
}

export function argsInWords(args: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(args).map(([name, value]) => `${name}: ${valueInWords(value)}`)
  return shorten(words.join(', '), ARGS_CHARS)
}

export function valueInWords(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

export function msInWords(ms: number): string {
  if (ms < 1) return '<1 ms'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
}

/** Provider and model; a provider with one model names none. */
export function modelInWords(model: string): string {
  return model.replace(/\/$/, '')
}

/** `pii-email` and `lookup_order` as words. */
export function asWords(name: string): string {
  return name.replaceAll(/[_-]+/g, ' ')
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '')
}

function shorten(text: string, chars: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= chars ? line : `${line.slice(0, chars - 1)}…`
}
