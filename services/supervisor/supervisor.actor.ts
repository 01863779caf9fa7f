import { actor } from '#shared/actor/definition.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { openConversation, requireOwner } from './conversation.ts'
import { finish } from './finish.ts'
import { decided, parked } from './reviews.ts'
import { routed } from './routing.ts'
import { send } from './send.ts'
import { readSnapshot } from './snapshot.ts'
import { initialState } from './state.ts'
import { stop } from './stop.ts'

/**
 * The supervisor of one conversation (key: its id): it stores what is said, decides in a child run who answers, hands
 * the turn to that agent, and says the answer. Its handlers do SQL and tells and nothing else, so a stop is always heard.
 * One turn is at work at a time; further messages wait in order.
 */
export const supervisor = actor(Supervisor, {
  state: { version: 1, initial: initialState },
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
    parked,
    decided,
    async snapshot(ctx) {
      requireOwner(ctx)
      return await readSnapshot(ctx, await ctx.sql())
    },
  },
  ended: routed,
})
