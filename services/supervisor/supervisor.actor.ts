import { actor } from '#shared/actor/definition.ts'
import type { ActorDefinition, Context } from '#shared/actor/definition.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { regenerate, selectBranch } from './branch.ts'
import { openConversation, requireOwner } from './conversation.ts'
import { finish } from './finish.ts'
import { fork } from './fork.ts'
import { routed } from './routing.ts'
import { send } from './send.ts'
import { readSnapshot } from './snapshot.ts'
import { STATE_VERSION, initialState, upgradeState } from './state.ts'
import type { SupervisorState } from './state.ts'
import { unheard } from './steer.ts'
import { stop } from './stop.ts'
import { COLLECTED, nextTurn } from './turns.ts'
import { TURN_SILENT_MS, WATCHDOG, endSilentTurn, watchTurn } from './watchdog.ts'

/**
 * The supervisor of one conversation (key: its id): it stores what is said, decides in a child run who answers, hands
 * the turn to that agent, and says the answer. Its handlers do SQL and tells and nothing else, so a stop is always heard.
 * One turn is at work at a time; what becomes of further messages is their policy's (`while-running.ts`).
 *
 * @param turnSilentMs a turn at work for longer is ended by the watchdog
 */
export function supervisorOf(turnSilentMs: number): ActorDefinition {
  const watched =
    <Input, Answer>(handler: (ctx: Context<SupervisorState>, input: Input) => Answer) =>
    async (ctx: Context<SupervisorState>, input: Input): Promise<Awaited<Answer>> => {
      const answer = await handler(ctx, input)
      watchTurn(ctx, turnSilentMs)
      return answer
    }
  return actor(Supervisor, {
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
      send: watched(send),
      stop: watched(stop),
      regenerate: watched(regenerate),
      select: selectBranch,
      fork: watched(fork),
      finished: watched(finish),
      unheard,
      async snapshot(ctx) {
        requireOwner(ctx)
        return await readSnapshot(ctx, await ctx.sql())
      },
    },
    ended: routed,
    timers: {
      [COLLECTED]: watched(async (ctx) => await nextTurn(ctx, await ctx.sql())),
      [WATCHDOG]: watched((ctx) => endSilentTurn(ctx, turnSilentMs)),
    },
  })
}

export const supervisor = supervisorOf(TURN_SILENT_MS)
