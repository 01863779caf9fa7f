import { actor } from '#shared/actor/definition.ts'
import type { ActorDefinition, Context } from '#shared/actor/definition.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { assign, read } from './assignment.ts'
import { regenerate, selectBranch } from './branch.ts'
import { brief } from './briefing.ts'
import { PARKED_TIMER, parkedTooLong, raise } from './budgets.ts'
import { control } from './control-actions.ts'
import { openConversation, requireOwner, requireOperator } from './conversation.ts'
import { finish } from './finish.ts'
import { fork } from './fork.ts'
import { handBack, ownerIsAway } from './hand-back.ts'
import { note, whispered } from './notes.ts'
import { asked, offerOver } from './offers.ts'
import { lookForOwner, seat } from './owner-watch.ts'
import type { Alive } from './owner-watch.ts'
import { reply } from './reply.ts'
import { again, retry } from './retry.ts'
import { decided, parked } from './reviews.ts'
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
 * One turn is at work at a time; what becomes of further messages is their policy's (`while-running.ts`). Who has the voice
 * moves by `moveControl` alone.
 *
 * @param alive whether a gateway is, as far as this process knows
 * @param turnSilentMs a turn at work for longer is ended by the watchdog
 */
export function supervisorOf(alive: Alive, turnSilentMs = TURN_SILENT_MS): ActorDefinition {
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
      control: watched(control),
      reply,
      note,
      whispered,
      assign,
      read,
      brief,
      seat,
      asked,
      parked: watched(parked),
      decided: watched(decided),
      raise: watched(raise),
      retry: watched(retry),
      async snapshot(ctx, { staff }) {
        if (staff === true) requireOperator(ctx)
        else requireOwner(ctx)
        return await readSnapshot(ctx, await ctx.sql(), staff === true)
      },
    },
    ended: watched(routed),
    again,
    timers: {
      [PARKED_TIMER]: watched(parkedTooLong),
      offerOver: watched(offerOver),
      ownerIdle: watched(async (ctx) => await handBack(ctx, 'idle')),
      ownerAway: watched(async (ctx) => await ownerIsAway(ctx, alive)),
      ownerLook: async (ctx) => await lookForOwner(ctx, alive),
      [COLLECTED]: watched(async (ctx) => await nextTurn(ctx, await ctx.sql())),
      [WATCHDOG]: watched((ctx) => endSilentTurn(ctx, turnSilentMs)),
    },
  })
}
