import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { Briefing } from '#shared/contracts/control.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import type { Brief } from '#shared/contracts/supervisor.ts'
import { effectsOfRuns } from '#shared/db/repositories/effects.ts'
import { listNotes } from '#shared/db/repositories/notes.ts'
import { listRuns } from '#shared/db/repositories/runs.ts'
import { encodeName } from '#shared/wire/names.ts'
import { noteOf } from './notes.ts'
import type { SupervisorState } from './state.ts'
import { newestMessages } from './stored-messages.ts'

type Ctx = Context<SupervisorState>

/** How far back a briefing looks, and how much of a text it quotes. */
const MESSAGES = 50
const RUNS = 20
const EFFECTS = 20
const NOTES = 20
const QUOTED_CHARS = 200

/** Tells whoever has just got the voice what it is about. After the change itself, which must not wait for it. */
export async function brief(ctx: Ctx, { control }: z.infer<typeof Brief>): Promise<void> {
  if (ctx.state.control !== control || ctx.state.mode !== 'human') return
  say(ctx, 'control:briefed', await briefingOf(ctx, await ctx.sql()))
}

export async function briefingOf(ctx: Ctx, sql: TenantSql): Promise<Briefing> {
  const conversationId = ctx.key[0]!
  const { control, owner } = ctx.state
  const messages = await newestMessages(sql, conversationId, MESSAGES)
  const runs = await listRuns(sql, { kind: 'run', keyPrefix: `${encodeName(conversationId)}--`, limit: RUNS })
  const effects = await effectsOfRuns(
    sql,
    runs.map(({ kind, key }) => `${kind}/${key}`),
    EFFECTS,
  )
  const tools = effects.map(({ tool, status, intendedAt }) => ({ tool, status, at: intendedAt }))
  const notes = (await listNotes(sql, conversationId, NOTES)).map(noteOf)
  const wants = wantsOf(messages)
  const spoken = spokenOf(messages)
  return {
    control,
    owner,
    summary: summaryOf(ctx.state.user, wants, spoken, tools),
    wants,
    spoken,
    tools,
    notes: notes.map(({ id, kind, author, text }) => ({ id, kind, author, text: shorten(text) })),
  }
}

function wantsOf(messages: readonly MessageFact[]): Briefing['wants'] {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  const message = messages[last]
  if (message === undefined) return null
  const answered = messages.slice(last + 1).some(({ role }) => role === 'assistant' || role === 'operator')
  return { messageId: message.id, text: shorten(message.text), answered }
}

function spokenOf(messages: readonly MessageFact[]): Briefing['spoken'] {
  const counted = new Map<string, Briefing['spoken'][number]>()
  for (const { author, role } of messages) {
    if (role === 'user' || role === 'system') continue
    const known = counted.get(`${role} ${author}`) ?? { author, role, messages: 0 }
    counted.set(`${role} ${author}`, { ...known, messages: known.messages + 1 })
  }
  return [...counted.values()]
}

function summaryOf(
  user: string,
  wants: Briefing['wants'],
  spoken: Briefing['spoken'],
  tools: Briefing['tools'],
): string {
  const inDoubt = tools.filter(({ status }) => status === 'unknown' || status === 'intended').map(({ tool }) => tool)
  const sentences = [
    wants === null
      ? `${user} has not written anything yet.`
      : `${user} wrote: “${wants.text}” ${wants.answered ? 'That was answered.' : 'Nobody has answered that.'}`,
    spoken.length === 0
      ? ''
      : `Answers so far: ${spoken.map(({ author, messages }) => `${author} ${messages}`).join(', ')}.`,
    tools.length === 0 ? '' : `Tools used: ${[...new Set(tools.map(({ tool }) => tool))].join(', ')}.`,
    inDoubt.length === 0 ? '' : `Nobody knows whether these happened: ${inDoubt.join(', ')}.`,
  ]
  return sentences.filter((sentence) => sentence !== '').join(' ')
}

function shorten(text: string): string {
  return text.length <= QUOTED_CHARS ? text : `${text.slice(0, QUOTED_CHARS - 1).toWellFormed()}…`
}
