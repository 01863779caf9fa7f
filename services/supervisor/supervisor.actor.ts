import { actor } from '#shared/actor/definition.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { assign, read } from './assignment.ts'
import { brief } from './briefing.ts'
import { control } from './control-actions.ts'
import { openConversation, requireOwner, requireStaff } from './conversation.ts'
import { decided } from './drafts.ts'
import { finish } from './finish.ts'
import { handBack } from './hand-back.ts'
import { note } from './notes.ts'
import { asked, offerOver } from './offers.ts'
import { seat } from './owner-watch.ts'
import { reply } from './reply.ts'
import { routed } from './routing.ts'
import { send } from './send.ts'
import { readSnapshot } from './snapshot.ts'
import { STATE_VERSION, initialState, upgradeState } from './state.ts'
import { stop } from './stop.ts'

/**
 * The supervisor of one conversation (key: its id): it stores what is said, decides in a child run who answers, hands
 * the turn to that agent, and says the answer. Its handlers do SQL and tells and nothing else, so a stop is always heard.
 * One turn is at work at a time; further messages wait in order. Who has the voice moves by `moveControl` alone.
 */
export const supervisor = actor(Supervisor, {
  state: { version: STATE_VERSION, initial: initialState, upgrade: upgradeState },
  sleepAfter: '10m',
  children: {
    strategy: 'one-for-one',
    restarts: 3,
    within: '1m',
    backoff: ['100ms', '2s'],
    decide: (error) => (error.code === 'MODEL_AUTH' ? 'stop' : 'restart'),
  },
  on: {
    open: async (ctx, { channel }) => await openConversation(ctx, await ctx.sql(), channel),
    send,
    stop,
    finished: finish,
    control,
    reply,
    note,
    assign,
    read,
    brief,
    seat,
    asked,
    decided,
    async snapshot(ctx, { staff }) {
      if (staff === true) requireStaff(ctx)
      else requireOwner(ctx)
      return await readSnapshot(ctx, await ctx.sql(), staff === true)
    },
  },
  timers: {
    offerOver,
    ownerIdle: (ctx) => handBack(ctx, 'idle'),
    ownerAway: (ctx) => handBack(ctx, 'offline'),
  },
  ended: routed,
})
