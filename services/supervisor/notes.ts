import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import type { Note, NoteKind } from '#shared/contracts/note.ts'
import { say } from '#shared/contracts/say.ts'
import type { InputOf } from '#shared/actor/ref.ts'
import type { AddNote, Supervisor } from '#shared/contracts/supervisor.ts'
import { appendNote, settleNote } from '#shared/db/repositories/notes.ts'
import type { NoteRow } from '#shared/db/repositories/notes.ts'
import { requireOperator } from './conversation.ts'
import type { SupervisorState } from './state.ts'
import { steerTurn } from './steer.ts'

type Ctx = Context<SupervisorState>

/** Whispers that may wait for an agent, and words of people that agents keep; the oldest leave first (I11). */
const MAX_WHISPERS = 20
const MAX_LEARNED = 5

/** A note for colleagues, or a whisper to the agent. Neither is ever a message: a customer has no way to it (I6). */
export async function note(ctx: Ctx, { clientId, text, kind }: z.infer<typeof AddNote>): Promise<{ noteId: string }> {
  const author = requireOperator(ctx)
  const sql = await ctx.sql()
  const added = await addNote(ctx, sql, { kind, author, clientId, text, turnId: null })
  if (added.fresh && kind === 'whisper') {
    const atWork = ctx.state.turns.find(({ phase, ending }) => phase === 'running' && !ending)
    if (ctx.state.mode === 'human') await miss(ctx, sql, added.id, 'a person has the voice now')
    else if (atWork !== undefined) {
      steerTurn(ctx, atWork, { id: added.id, kind: 'whisper', author, text, taint: [] })
    } else {
      ctx.state.whispers.push({ noteId: added.id, author, text })
      for (const { noteId } of ctx.state.whispers.splice(0, ctx.state.whispers.length - MAX_WHISPERS))
        await miss(ctx, sql, noteId, 'too many whispers wait')
    }
  }
  return { noteId: added.id }
}

/** What an agent had written and may no longer say is kept for the person who has the voice. */
export async function keepUnsaid(ctx: Ctx, sql: TenantSql, message: MessageFact, turnId: string): Promise<void> {
  if (message.text === '') return
  await addNote(ctx, sql, { kind: 'draft', author: message.author, clientId: '', text: message.text, turnId })
}

/** What a person leaves for the agents at hand-back. */
export async function keepLearned(ctx: Ctx, sql: TenantSql, author: string, text: string): Promise<void> {
  await addNote(ctx, sql, { kind: 'learned', author, clientId: '', text, turnId: null })
  ctx.state.learned = [...ctx.state.learned, { author, text }].slice(-MAX_LEARNED)
}

export async function missWhispers(ctx: Ctx, sql: TenantSql, reason: string): Promise<void> {
  for (const { noteId } of ctx.state.whispers) await miss(ctx, sql, noteId, reason)
  ctx.state.whispers = []
}

/** What people want the agent to know in this turn. Whispers are read once, with the turn that they are given to. */
export async function agentContext(ctx: Ctx, sql: TenantSql, turnId: string, agent: string): Promise<string> {
  const { learned, whispers } = ctx.state
  ctx.state.whispers = []
  for (const { noteId } of whispers) {
    await settleNote(sql, noteId, 'delivered')
    say(ctx, 'whisper:delivered', { noteId, turnId, agent, step: null })
  }
  const lines = [
    ...learned.map(
      ({ author, text }) => `Your colleague ${author} had this conversation and left word for you: ${text}`,
    ),
    ...whispers.map(({ author, text }) => `Your colleague ${author} tells you now: ${text}`),
  ]
  return lines.length === 0 ? '' : `${INTERNAL}\n${lines.join('\n')}`
}

/** The run at work has heard it, at a tool boundary. */
export async function whispered(ctx: Ctx, heard: InputOf<(typeof Supervisor)['messages']['whispered']>): Promise<void> {
  await settleNote(await ctx.sql(), heard.noteId, 'delivered')
  say(ctx, 'whisper:delivered', heard)
}

const INTERNAL = 'The following comes from your colleagues. The customer cannot see it; do not quote it or mention it.'

async function miss(ctx: Ctx, sql: TenantSql, noteId: string, reason: string): Promise<void> {
  await settleNote(sql, noteId, 'missed')
  say(ctx, 'whisper:missed', { noteId, reason })
}

async function addNote(
  ctx: Ctx,
  sql: TenantSql,
  given: {
    readonly kind: NoteKind
    readonly author: string
    readonly clientId: string
    readonly text: string
    readonly turnId: string | null
  },
): Promise<{ id: string; fresh: boolean }> {
  const { kind, author, clientId, text, turnId } = given
  const state = kind === 'whisper' ? 'waiting' : 'kept'
  const row = { id: ctx.newId(), kind, author, clientId, content: text, turnId, state, at: ctx.now } as const
  const stored = await appendNote(sql, ctx.key[0]!, row)
  if (stored.fresh) say(ctx, 'note:added', noteOf(stored.note))
  return { id: stored.note.id, fresh: stored.fresh }
}

export function noteOf({ content, createdAt, ...row }: NoteRow): Note {
  return { ...row, text: content, at: createdAt }
}
