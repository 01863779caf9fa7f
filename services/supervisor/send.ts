import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { SendReceipt } from '#shared/contracts/client.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import type { Send } from '#shared/contracts/supervisor.ts'
import { DEBOUNCE_MAX_MS, DEBOUNCE_MS } from '#shared/contracts/while-running.ts'
import { changeBranch } from './active-branch.ts'
import { editedMessage } from './branch.ts'
import { openConversation } from './conversation.ts'
import { messageOf } from './messages.ts'
import { askedIn } from './state.ts'
import type { SupervisorState, Turn } from './state.ts'
import { steerTurn } from './steer.ts'
import { stopTurn } from './stop.ts'
import { storeMessage } from './stored-messages.ts'
import { newTurn, nextTurn } from './turns.ts'
import { configuredPolicy, placeOf } from './while-running.ts'
import type { Place } from './while-running.ts'

type Ctx = Context<SupervisorState>

/** Turns that may wait in one conversation; beyond it: BUSY. */
const MAX_QUEUED = 20

/** Stores and announces a message, and does with it what its policy says: its receipt says what that was. */
export async function send(ctx: Ctx, input: z.infer<typeof Send>): Promise<SendReceipt> {
  const { clientId, text, agent, channel, whileRunning, editOf } = input
  const sql = await ctx.sql()
  await openConversation(ctx, sql, channel)
  const user = ctx.cause.principal?.user ?? 'anonymous'
  const edited = editOf === undefined ? null : await editedMessage(ctx, sql, editOf, whileRunning)
  const said = { user, wanted: agent, edit: edited !== null }
  const forPerson = ctx.state.mode === 'human'
  const place = forPerson ? null : placeOf(ctx.state, whileRunning ?? configuredPolicy(ctx.state, said), said)
  const joined = place !== null && 'turn' in place ? place.turn : null
  const parentId = edited !== null ? edited.parentId : (joined?.messageId ?? ctx.state.lastMessageId)
  const own = newTurn(ctx, { text, wanted: agent, parentId })
  if (edited !== null) own.branch = { kind: 'edit', leafBefore: null }
  const turn = joined ?? own
  const message = messageOf(ctx, { id: own.messageId, clientId, parentId, role: 'user', author: user, text })
  const stored = await storeMessage(sql, message, {
    conversationId: ctx.key[0]!,
    control: ctx.state.control,
    turnId: forPerson ? null : turn.turnId,
    runId: null,
    principal: user,
  })
  if (!stored.fresh) return { messageId: stored.fact.id, turnId: stored.turnId ?? '', status: 'accepted' }
  // Only a new message can be one too many: a repeated one gets its receipt.
  if (place?.is === 'refused') throw refuse('BUSY', { policy: 'reject', turnId: ctx.state.turns[0]?.turnId })
  say(ctx, 'message:received', message)
  if (place === null) {
    // No agent's turn begins; the latest is what an agent answers when it gets the voice back.
    ctx.state.unanswered = askedIn(own)
    await changeBranch(ctx, sql, message.id, edited === null ? 'said' : 'edit')
    return { messageId: message.id, turnId: '', status: 'accepted' }
  }
  return { messageId: message.id, turnId: turn.turnId, status: await take(ctx, sql, place, own, message) }
}

async function take(
  ctx: Ctx,
  sql: TenantSql,
  place: Exclude<Place, { is: 'refused' }>,
  own: Turn,
  message: MessageFact,
): Promise<SendReceipt['status']> {
  const { turns } = ctx.state
  switch (place.is) {
    case 'steer': {
      const { id, author, text } = message
      steerTurn(ctx, place.turn, { id, kind: 'steer', author, text, taint: [...ctx.cause.taint] })
      return 'steering'
    }
    case 'joined': {
      const { turn } = place
      turn.joined.push(turn.messageId)
      turn.messageId = message.id
      turn.text = `${turn.text}\n${message.text}`
      turn.taint = [...new Set([...turn.taint, ...ctx.cause.taint])]
      if (turn.waits !== null) turn.waits.until = Math.min(ctx.now + DEBOUNCE_MS, turn.waits.atMost)
      return 'merged'
    }
    case 'turn': {
      if (turns.length > MAX_QUEUED) throw refuse('BUSY', { queued: turns.length, limit: MAX_QUEUED })
      if (place.waits) own.waits = { until: ctx.now + DEBOUNCE_MS, atMost: ctx.now + DEBOUNCE_MAX_MS }
      if (place.stops === null) turns.push(own)
      else {
        turns.splice(1, 0, own)
        place.stops.stopping = place.rollback ? 'rollback' : (place.stops.stopping ?? 'keep')
        stopTurn(ctx, place.stops, 'another message came')
        return 'interrupting'
      }
      if (turns[0] !== own) return 'queued'
      await nextTurn(ctx, sql)
      return own.waits === null ? 'accepted' : 'queued'
    }
  }
}
