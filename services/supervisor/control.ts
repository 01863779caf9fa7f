import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { ControlMode, ControlReceipt } from '#shared/contracts/control.ts'
import { say } from '#shared/contracts/say.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { Team } from '#shared/contracts/team.ts'
import { setControl } from '#shared/db/repositories/conversations.ts'
import { followMessage } from '#shared/db/repositories/message-tree.ts'
import { changeBranch } from './active-branch.ts'
import { readSettings, withName } from './control-settings.ts'
import { messageOf } from './messages.ts'
import { missWhispers } from './notes.ts'
import { watchOwner } from './owner-watch.ts'
import { sendPublic } from './send-public.ts'
import { askedIn, speaker } from './state.ts'
import type { OpenOffer, SupervisorState, Turn } from './state.ts'
import { stopTurn } from './stop.ts'
import { newTurn, nextTurn } from './turns.ts'

type Ctx = Context<SupervisorState>

export interface Move {
  readonly owner: string
  readonly mode: ControlMode
  readonly reason: string
  /** The offer that stands from now on. */
  readonly offer?: OpenOffer | null
  /** What became of the offer that stood until now. */
  readonly outcome?: 'accepted' | 'declined' | 'expired' | 'withdrawn'
}

/**
 * The one function by which the voice moves, whatever the way: a takeover, an offer and its end, a hand-back, by a person
 * or by a timer (I7). It changes owner, mode and epoch in row and state, says so, tells the customer, ends what agents had at
 * work under the earlier epoch, and arms the timers. An offer changes the mode and not the voice: its epoch stays, and what
 * is being said goes on.
 */
export async function moveControl(ctx: Ctx, sql: TenantSql, to: Move): Promise<ControlReceipt> {
  const before = speaker(ctx.state)
  const wasHuman = ctx.state.mode === 'human'
  const { owner, mode, reason, offer = null } = to
  const after = speaker({ owner, mode, offer })
  const settings = await readSettings(sql)
  ctx.state.control = await setControl(sql, ctx.key[0]!, {
    owner,
    mode,
    expected: ctx.state.control,
    keepsVoice: before === after,
  })
  const { control } = ctx.state
  const isHuman = mode === 'human'
  const notice = isHuman === wasHuman ? '' : isHuman ? settings.notices.taken : settings.notices.released
  const told = notice === '' ? null : await withName(sql, notice, owner)
  // First of all that is said here: whatever follows it in the log under an older epoch is void.
  say(ctx, 'control:changed', { owner, mode, control, reason, notice: told }, { control })
  closeOffer(ctx, to)
  Object.assign(ctx.state, { owner, mode, offer })
  if (told !== null) await announce(ctx, sql, told)
  if (before !== after) {
    await endWork(ctx, sql, reason)
    if (isHuman) await missWhispers(ctx, sql, 'a person has the voice now')
    if (isHuman) ctx.tell(Supervisor, ctx.key[0]!, 'brief', { control })
    else await answerWaiting(ctx, sql)
  }
  watchOwner(ctx, settings.control)
  return { owner, mode, control }
}

/** The offer before this move is over; who has it from a team counts as that team's. */
function closeOffer(ctx: Ctx, { owner, mode, reason, offer = null, outcome = 'withdrawn' }: Move): void {
  const { state } = ctx
  const conversationId = ctx.key[0]!
  const over = state.offer
  const taken = mode === 'human' && owner !== state.owner
  if (state.heldFor !== null && (mode !== 'human' || taken)) {
    ctx.tell(Team, state.heldFor, 'freed', { conversationId })
    state.heldFor = null
  }
  if (over === null) return
  ctx.forget('offerOver')
  if (over.to.kind === 'team') {
    const member = taken && outcome === 'accepted'
    ctx.tell(Team, over.to.id, 'settle', { conversationId, takenBy: member ? owner : null })
    if (member) state.heldFor = over.to.id
  }
  if (offer === null) say(ctx, 'offer:changed', { offer: null, outcome, by: ctx.cause.principal?.user ?? '', reason })
}

async function announce(ctx: Ctx, sql: TenantSql, text: string): Promise<void> {
  const message = messageOf(ctx, {
    id: ctx.newId(),
    parentId: ctx.state.lastMessageId,
    role: 'system',
    author: 'system',
    text,
  })
  await sendPublic(ctx, sql, ctx.state.control, message, { turnId: null, runId: null })
  ctx.state.lastMessageId = message.id
}

/** Nothing goes on under an older epoch. What the customer asked last waits for whoever has the voice now. */
async function endWork(ctx: Ctx, sql: TenantSql, reason: string): Promise<void> {
  const atWork = ctx.state.turns.filter((turn) => !turn.ending)
  await joinQueued(ctx, sql, atWork)
  const last = atWork.at(-1)
  if (last !== undefined) ctx.state.unanswered = askedIn(last)
  for (const turn of atWork) {
    turn.ending = true
    stopTurn(ctx, turn, reason)
  }
}

/** Messages that stood in line were said all the same: they follow one after the other. */
async function joinQueued(ctx: Ctx, sql: TenantSql, turns: readonly Turn[]): Promise<void> {
  const queued = turns.filter(({ phase, branch }) => phase === 'queued' && branch === null)
  if (queued.length === 0) return
  let leafId = ctx.state.lastMessageId
  for (const turn of queued) {
    turn.parentId = leafId
    await followMessage(sql, turn.joined[0] ?? turn.messageId, leafId)
    leafId = turn.messageId
  }
  await changeBranch(ctx, sql, leafId, 'said')
}

/** Agents have the voice: what waited for an answer gets its turn, after those that are still being ended. */
async function answerWaiting(ctx: Ctx, sql: TenantSql): Promise<void> {
  const { unanswered } = ctx.state
  if (unanswered === null) return
  ctx.state.unanswered = null
  const turn = newTurn(ctx, unanswered)
  turn.follows = ctx.state.lastMessageId
  ctx.state.turns.push(turn)
  await nextTurn(ctx, sql)
}
