import { actor } from '#shared/actor/definition.ts'
import type { Context } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { Team } from '#shared/contracts/team.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { teamMembers } from '#shared/db/repositories/teams.ts'
import type { TeamMember } from '#shared/db/repositories/teams.ts'
import { chooseMember, loadOf } from './choose-member.ts'
import type { TeamState } from './choose-member.ts'

type Ctx = Context<TeamState>

/** How long one member is asked before the next one is; the offer itself ends when the supervisor says so. */
const ASK_MS = 30_000
/** Conversations that may wait for one team; beyond it the oldest is no longer asked about (I11). */
const MAX_WAITING = 1_000

/**
 * The queue of one team (key: its id). It asks one member at a time for each waiting conversation: one who has the skills,
 * has room and is not away, the least loaded first. Who accepts tells the supervisor, which has the last word: here is only
 * who is asked and how much each has.
 */
export const team = actor(Team, {
  state: { version: 1, initial: (): TeamState => ({ waiting: [], held: {}, away: [] }) },
  sleepAfter: '10m',
  on: {
    async enqueue(ctx, { conversationId, skills }) {
      const others = ctx.state.waiting.filter((waiting) => waiting.conversationId !== conversationId)
      const waiting = { conversationId, skills, asked: null, askedAt: 0, refused: [], since: ctx.now }
      ctx.state.waiting = [...others, waiting].slice(-MAX_WAITING)
      await askAround(ctx)
    },
    async settle(ctx, { conversationId, takenBy }) {
      ctx.state.waiting = ctx.state.waiting.filter((waiting) => waiting.conversationId !== conversationId)
      if (takenBy !== null) ctx.state.held[conversationId] = takenBy
      await askAround(ctx)
    },
    async declined(ctx, { conversationId, user }) {
      const waiting = ctx.state.waiting.find((candidate) => candidate.conversationId === conversationId)
      if (waiting === undefined) return
      if (!waiting.refused.includes(user)) waiting.refused.push(user)
      if (waiting.asked === user) waiting.asked = null
      await askAround(ctx)
    },
    async freed(ctx, { conversationId }) {
      delete ctx.state.held[conversationId]
      await askAround(ctx)
    },
    async available(ctx, { available }) {
      const user = requireStaff(ctx, 'Teams are')
      const members = await membersOf(ctx)
      if (members === null) throw refuse('NOT_FOUND', { team: ctx.key[0] })
      if (!members.some(({ userId }) => userId === user)) throw refuse('FORBIDDEN', { reason: 'Not of this team.' })
      ctx.state.away = ctx.state.away.filter((name) => name !== user)
      if (!available) ctx.state.away.push(user)
      for (const waiting of ctx.state.waiting) if (!available && waiting.asked === user) waiting.asked = null
      await askAround(ctx)
    },
    async queue(ctx) {
      requireStaff(ctx, 'Teams are')
      const members = await membersOf(ctx)
      if (members === null) throw refuse('NOT_FOUND', { team: ctx.key[0] })
      return {
        waiting: ctx.state.waiting.map(({ conversationId, skills, asked, since }) => ({
          conversationId,
          skills,
          asked,
          since,
        })),
        members: members.map(({ userId, skills, capacity }) => ({
          user: userId,
          skills: [...skills],
          capacity,
          load: loadOf(ctx.state, userId),
          available: !ctx.state.away.includes(userId),
        })),
      }
    },
  },
  timers: { askedLongEnough: askAround },
})

/** Whoever was asked and has not answered in time is passed over; whatever waits and is not asked about, is. */
async function askAround(ctx: Ctx): Promise<void> {
  const members = (await membersOf(ctx)) ?? []
  const { state } = ctx
  for (const waiting of state.waiting) {
    const before = waiting.asked
    if (before !== null && ctx.now >= waiting.askedAt + ASK_MS) {
      waiting.refused.push(before)
      waiting.asked = null
    }
    if (waiting.asked === null) {
      waiting.asked = chooseMember(state, waiting, members)
      waiting.askedAt = ctx.now
    }
    if (waiting.asked !== before || before === null)
      ctx.tell(Supervisor, waiting.conversationId, 'asked', { team: ctx.key[0]!, user: waiting.asked })
  }
  const next = Math.min(...state.waiting.flatMap(({ asked, askedAt }) => (asked === null ? [] : [askedAt + ASK_MS])))
  if (Number.isFinite(next)) ctx.remind('askedLongEnough', next)
  else ctx.forget('askedLongEnough')
}

async function membersOf(ctx: Ctx): Promise<TeamMember[] | null> {
  return await teamMembers(await ctx.sql(), ctx.key[0]!)
}
