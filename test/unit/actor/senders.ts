/** An actor that says numbers in the log and tells them to another: what is lost, doubled or out of order shows. */
import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { CONTROL_CHANGED } from '#shared/wire/event.ts'
import { Nothing } from './rig.ts'

export const Inbox = contract(
  'inbox',
  { put: tell(z.object({ n: z.number() })), list: ask(Nothing, z.array(z.number()), { within: '1m' }) },
  { partitions: 1 },
)
export const Sender = contract(
  'sender',
  {
    send: tell(z.object({ n: z.number() })),
    speak: tell(z.object({ n: z.number(), control: z.number() })),
    move: tell(z.object({ control: z.number() })),
    poke: ask(z.object({ n: z.number() }), z.number(), { within: '1m' }),
  },
  { partitions: 1 },
)
export const inbox = actor(Inbox, {
  state: { version: 1, initial: () => ({ list: [] as number[] }) },
  on: { put: (ctx, { n }) => void ctx.state.list.push(n), list: (ctx) => ctx.state.list },
})
export const sender = actor(Sender, {
  state: { version: 1, initial: () => ({ sent: 0 }) },
  on: {
    send: (ctx, { n }) => {
      ctx.state.sent++
      ctx.tell(Inbox, 'i', 'put', { n })
      ctx.emit('sender:sent', { n }, { audience: 'pub' })
    },
    speak: (ctx, { n, control }) => ctx.emit('sender:sent', { n }, { audience: 'pub', control }),
    move: (ctx, { control }) => ctx.emit(CONTROL_CHANGED, {}, { audience: 'pub', control }),
    poke: (ctx, { n }) => {
      ctx.state.sent++
      ctx.emit('sender:sent', { n }, { audience: 'pub' })
      return ctx.state.sent
    },
  },
})
export const listOf = (kit: TestSystem): Promise<unknown> =>
  kit.clock.settle(kit.reach().ref(Inbox, 'i').ask('list', {}))
export const said = async (kit: TestSystem): Promise<number[]> =>
  (await kit.log())
    .filter((entry) => entry.counts && entry.event.type === 'sender:sent')
    .map((entry) => (entry.event.payload as { n: number }).n)
export const unsent = (kit: TestSystem): number =>
  [...kit.database.outbox.values()].filter((row) => row.relayedAt === null).length
