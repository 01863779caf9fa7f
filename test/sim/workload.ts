/**
 * The actors that the simulator puts under load. Each checks what it is told (order per sender, nothing twice, no timer
 * early) and notes what is wrong in `wrong`, which must be empty at the end. What they say in the log is numbered.
 */
import { z } from 'zod'
import { ask, contract, pool, spawned, tell } from '#shared/actor/contract.ts'
import { actor, poolActor, runActor } from '#shared/actor/definition.ts'
import type { Definition } from '#shared/actor/definition.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Outside } from './outside.ts'

const Numbered = z.object({ sender: z.string(), n: z.number() })
const Nothing = z.object({})

export const Mode = { once: 'once', keyed: 'keyed', idempotent: 'idempotent' } as const
export type Mode = (typeof Mode)[keyof typeof Mode]

export const Tally = contract('tally', {
  add: tell(Numbered, { fails: ['BLOCKED'] }),
  refused: tell(Numbered, { fails: ['BLOCKED'] }),
  put: tell(Numbered),
  poison: tell(Nothing),
  bump: ask(Nothing, z.number(), { within: '3s' }),
  read: ask(Nothing, z.any(), { within: '3s' }),
})
export const Courier = contract('courier', { carry: tell(Numbered.extend({ to: z.array(z.string()) })) })
export const Alarm = contract('alarm', { set: tell(Numbered.extend({ name: z.string(), inMs: z.number() })) })
export const Boss = contract('boss', {
  start: tell(Numbered.extend({ job: z.string(), mode: z.enum(['once', 'keyed', 'idempotent']) })),
  halt: tell(Numbered.extend({ job: z.string() })),
})
export const Job = spawned(
  'job',
  z.object({ job: z.string(), mode: z.enum(['once', 'keyed', 'idempotent']) }),
  z.string(),
  {
    within: '10m',
  },
)
export const Echo = pool('echo', { say: ask(z.object({ text: z.string() }), z.string(), { within: '2s' }) })

export interface TallyState {
  count: number
  bumps: number
  puts: number
  last: Record<string, number>
  seen: string[]
  wrong: string[]
}
export interface BossState {
  started: string[]
  ended: Record<string, string>
  last: Record<string, number>
  seen: string[]
  wrong: string[]
}
export interface AlarmState {
  pending: string[]
  rung: string[]
  dueAt: number
  last: Record<string, number>
  seen: string[]
  wrong: string[]
}
export interface CourierState {
  sent: Record<string, number>
  last: Record<string, number>
  seen: string[]
  wrong: string[]
}

const checks = (): { last: Record<string, number>; seen: string[]; wrong: string[] } => ({
  last: {},
  seen: [],
  wrong: [],
})

/** Notes what is out of order or comes twice. */
function check(
  state: { last: Record<string, number>; seen: string[]; wrong: string[] },
  id: string,
  input: { sender: string; n: number },
): void {
  const expected = (state.last[input.sender] ?? 0) + 1
  if (state.seen.includes(id)) state.wrong.push(`${id} twice`)
  if (input.n !== expected) state.wrong.push(`${input.sender} said ${input.n}, expected ${expected}`)
  state.last[input.sender] = input.n
  state.seen.push(id)
}

export function workload(outside: Outside, clock: Clock): Definition[] {
  const tally = actor(Tally, {
    state: { version: 1, initial: (): TallyState => ({ count: 0, bumps: 0, puts: 0, ...checks() }) },
    sleepAfter: '3s',
    on: {
      add: (ctx, input) => {
        check(ctx.state, ctx.cause.id, input)
        ctx.state.count++
        ctx.emit('tally:added', { n: ctx.state.count }, { audience: 'pub' })
        return ctx.state.count
      },
      refused: (ctx, input) => {
        check(ctx.state, ctx.cause.id, input)
        ctx.emit('tally:refused', {}, { audience: 'pub' })
        throw refuse('BLOCKED')
      },
      put: async (ctx, input) => {
        check(ctx.state, ctx.cause.id, input)
        const sql = await ctx.sql()
        const [before = 0] = await sql.query<number>('get', [`puts/${ctx.address}`])
        await sql.query('put', [`puts/${ctx.address}`, before + 1])
        return ++ctx.state.puts
      },
      poison: () => {
        throw new Error('poison')
      },
      bump: (ctx) => {
        ctx.state.bumps++
        ctx.emit('tally:bumped', { n: ctx.state.bumps }, { audience: 'pub' })
        return ctx.state.bumps
      },
      read: (ctx) => ctx.state,
    },
  })
  const courier = actor(Courier, {
    state: { version: 1, initial: (): CourierState => ({ sent: {}, ...checks() }) },
    sleepAfter: '3s',
    on: {
      carry: (ctx, input) => {
        check(ctx.state, ctx.cause.id, input)
        for (const to of input.to) {
          const n = (ctx.state.sent[to] = (ctx.state.sent[to] ?? 0) + 1)
          ctx.tell(Tally, to, 'add', { sender: ctx.key[0]!, n })
        }
      },
    },
  })
  const alarm = actor(Alarm, {
    state: { version: 1, initial: (): AlarmState => ({ pending: [], rung: [], dueAt: 0, ...checks() }) },
    sleepAfter: '3s',
    on: {
      set: (ctx, input) => {
        check(ctx.state, ctx.cause.id, input)
        ctx.state.pending.push(input.name)
        ctx.state.dueAt = ctx.now + input.inMs
        ctx.remind('ring', ctx.state.dueAt)
      },
    },
    timers: {
      ring: (ctx) => {
        if (ctx.now < ctx.state.dueAt) ctx.state.wrong.push(`rang ${ctx.state.dueAt - ctx.now} ms early`)
        if (ctx.state.pending.length === 0) ctx.state.wrong.push('rang for nothing')
        ctx.state.rung.push(...ctx.state.pending.splice(0))
      },
    },
  })
  const boss = actor(Boss, {
    state: { version: 1, initial: (): BossState => ({ started: [], ended: {}, ...checks() }) },
    sleepAfter: '3s',
    children: {
      restarts: 1_000,
      within: '10m',
      backoff: ['20ms', '200ms'],
      decide: (error) => (error.code === 'CRASHED' ? 'restart' : 'resume'),
    },
    on: {
      start: (ctx, input) => {
        check(ctx.state, ctx.cause.id, input)
        ctx.state.started.push(input.job)
        ctx.spawn(Job, [ctx.key[0]!, input.job], { job: input.job, mode: input.mode })
      },
      halt: (ctx, input) => {
        check(ctx.state, ctx.cause.id, input)
        ctx.stop(Job, [ctx.key[0]!, input.job], 'halted')
      },
    },
    ended: (ctx, end) => {
      const job = end.key[1]!
      if (ctx.state.ended[job] !== undefined) ctx.state.wrong.push(`${job} ended twice`)
      ctx.state.ended[job] = `${end.state}:${end.state === 'done' ? (end.result as string) : end.error?.code}`
      ctx.emit('boss:ended', { n: Object.keys(ctx.state.ended).length }, { audience: 'ops' })
    },
  })
  const job = runActor(Job, async (ctx, { job: name, mode }) => {
    for (let index = 0; index < 4; index++) {
      ctx.emit('job:said', { attempt: ctx.attempt, index }, { audience: 'pub' })
      await outside.hop(clock)
    }
    if (outside.chance(0.1)) throw new Error('stumbled before')
    const result = await ctx.effect(
      { id: `${name}.pay`, tool: 'pay', argsHash: name, repeatable: mode !== Mode.once },
      () => outside.perform(name, mode, clock),
    )
    ctx.emit('job:said', { attempt: ctx.attempt, index: 4 }, { audience: 'pub' })
    await ctx.reach.ref(Tally, 't1').tell('add', { sender: name, n: 1 }, { id: `${name}.told` })
    try {
      await ctx.reach.ref(Tally, outside.pick(['t1', 't2', 't3'])).ask('bump', {}, { within: '500ms' })
      await ctx.reach.pool(Echo, 'main').ask('say', { text: name })
    } catch (error) {
      // An ask may fail; the run goes on unless it is the run itself that ends.
      if (ctx.signal.aborted || !(error instanceof WaggleError)) throw error
    }
    if (outside.chance(0.1)) throw new Error('stumbled after')
    await outside.hop(clock)
    return result.status
  })
  const echo = poolActor(Echo, { on: { say: (_ctx, { text }) => text } })
  return [tally, courier, alarm, boss, job, echo]
}
