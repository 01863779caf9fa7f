/** What events mean, in plain words, for people: console and command line say the same. */
import type { Citation, EventPayload, TurnOutcome } from '#shared/contracts/event-map.ts'
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
    case 'stopped':
      return 'stopped'
    case 'answered':
      return 'answered by a person'
  }
}

export function routeInWords(route: Pick<EventPayload<'route:decided'>, 'agent' | 'reason'>, title?: string): string {
  const why = route.reason === '' ? '' : `: ${withoutStop(route.reason)}`
  if (route.agent === null) return `No agent fits${why}`
  return `Routed to ${title === undefined || title === '' ? asWords(route.agent) : title}${why}`
}

/** Who can be heard by the customer. */
export function controlInWords({ owner, mode }: Pick<EventPayload<'control:changed'>, 'owner' | 'mode'>): string {
  switch (mode) {
    case 'auto':
      return 'Agents answer'
    case 'supervised':
      return 'Agents write drafts'
    case 'human':
      return `${owner} has the voice`
    case 'offered':
      return 'Agents answer until somebody accepts'
  }
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

/** Where a quote stands: the document, its page, the headings above it. */
export function placeInWords({ title, page, headings }: Citation): string {
  return [title, ...(page > 0 ? [`page ${page}`] : []), ...headings.slice(-1)].join(', ')
}

/** One line on a document that is being read. */
export function documentInWords(document: EventPayload<'document:progress'>): string {
  const { title, state, pagesDone, pagesTotal, chunks, error } = document
  if (error !== null) return `${title}: ${error.code}${error.page === null ? '' : ` on page ${error.page}`}`
  if (state === 'ready') return `${title}: ready, ${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}`
  const pages = pagesDone === 0 ? '' : `, ${pagesDone}${pagesTotal === null ? '' : ` of ${pagesTotal}`} pages`
  return `${title}: ${state}${pages}`
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
    case 'branch:changed':
      return `another branch: ${entry.payload.reason}`
    case 'message:steered':
      return `message ${entry.payload.messageId} was heard with step ${entry.payload.step}`
    case 'message:undelivered':
      return `message ${entry.payload.messageId} was not heard: ${entry.payload.reason}`
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
      return `${controlInWords(entry.payload)}: ${entry.payload.reason}`
    case 'control:briefed':
      return shorten(entry.payload.summary, WORDS_CHARS)
    case 'offer:changed': {
      const { offer, outcome } = entry.payload
      return offer === null ? `the offer was ${outcome}` : `${outcome}: ${offer.to.kind} ${offer.to.id}`
    }
    case 'note:added':
      return `${entry.payload.kind} of ${entry.payload.author}: ${shorten(entry.payload.text, WORDS_CHARS)}`
    case 'whisper:delivered':
      return `${entry.payload.agent} has read it`
    case 'whisper:missed':
      return `nobody will read it: ${entry.payload.reason}`
    case 'draft:delta':
      return shorten(entry.payload.text, WORDS_CHARS)
    case 'draft:completed':
      return `waits for a decision: ${shorten(entry.payload.message.text, WORDS_CHARS)}`
    case 'draft:decided': {
      const { outcome, by, reason } = entry.payload
      return `${outcome}${by === '' ? '' : ` by ${by}`}${reason === '' ? '' : `: ${reason}`}`
    }
    case 'assignment:changed': {
      const { user, team, by } = entry.payload
      return `${by} gave it to ${user ?? (team === null ? 'nobody' : `team ${team}`)}`
    }
    case 'read:marked':
      return `${entry.payload.user} has read up to ${entry.payload.messageId}`
    case 'route:decided':
      return routeInWords(entry.payload)
    case 'message:flagged': {
      const { unsupported, unknown } = entry.payload
      return [
        ...unsupported.map((claim) => `not in its passage: “${shorten(claim, WORDS_CHARS)}”`),
        ...unknown.map((mark) => `no passage [${mark}]`),
      ].join('; ')
    }
    case 'log:moved':
      return `goes on in ${entry.payload.stream}`
    case 'document:progress':
      return documentInWords(entry.payload)
    case 'document:removed':
      return `${entry.payload.title} by ${entry.payload.by}`
    case 'document:swept':
      return `${entry.payload.chunks} chunks, ${entry.payload.vectors} vectors, ${entry.payload.blobs} files`
    case 'answer:curated':
      return `${entry.payload.collection} by ${entry.payload.by}`
    case 'index:built': {
      const { collection, generation, embedder, adopted, reason } = entry.payload
      return `${collection}, generation ${generation} by ${embedder}${adopted ? '' : `, not used: ${reason}`}`
    }
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
    case 'budget:warned':
      return `${entry.payload.used} of ${entry.payload.limit} ${entry.payload.what} are used`
    case 'budget:spent': {
      const { agent, scope, what, used, limit, policy } = entry.payload
      return `${agent}: ${used} of ${limit} ${what} of the ${scope}; ${policy === 'ask' ? 'it waits for more' : 'the turn ends'}`
    }
    case 'budget:raised':
      return `${entry.payload.by} ${entry.payload.granted ? 'raised it' : 'ended the turn'}`
    case 'loop:cut':
      return `${entry.payload.path.join(' → ')} ${entry.payload.times} times${entry.payload.ended ? '; ended' : ''}`
    case 'turn:transferred':
      return `${entry.payload.from} hands over to ${entry.payload.to}: ${entry.payload.reason}`
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

export function shorten(text: string, chars: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= chars ? line : `${line.slice(0, chars - 1)}…`
}
