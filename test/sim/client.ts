import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { principal } from '#shared/actor/testkit/test-system.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import type { Reach } from '#shared/actor/ref.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import type { Limits } from '#shared/actor/limits.ts'
import { Alarm, Boss, Courier, Tally } from './workload.ts'
import type { Mode } from './workload.ts'

export interface Accepted {
  readonly id: string
  readonly to: string
  readonly what: string
}

const TARGETS = ['t1', 't2', 't3', 't4'] as const
const MODES: readonly Mode[] = ['once', 'keyed', 'idempotent']

/**
 * A client at the edge: sends numbered commands one after the other and repeats each under its id until it is accepted,
 * as a real one does. What it was promised stands in `accepted`.
 */
export class Client {
  readonly name: string
  readonly accepted: Accepted[] = []
  readonly wrong: string[] = []
  readonly jobs: { boss: string; job: string; mode: Mode; halted: boolean }[] = []
  readonly alarms: { alarm: string; name: string }[] = []
  readonly done: Promise<void>
  readonly #kit: TestSystem
  readonly #reach: Reach
  readonly #system: ActorSystem
  readonly #random: () => number
  readonly #numbers = new Map<string, number>()
  #stopping = false
  #count = 0

  constructor(kit: TestSystem, name: string, random: () => number, limits: Partial<Limits>) {
    this.#kit = kit
    this.name = name
    this.#random = random
    this.#system = new ActorSystem({
      transport: kit.broker.connect(name),
      node: name,
      clock: kit.clock,
      random,
      limits,
    })
    this.#reach = this.#system.reach(principal('acme', name))
    this.done = this.#run()
  }

  get openCalls(): number {
    return this.#system.census().calls
  }

  stop(): void {
    this.#stopping = true
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#one()
      await this.#wait(this.#random() * 120)
    }
  }

  async #one(): Promise<void> {
    const target = this.#pick(TARGETS)
    const dice = this.#random()
    if (dice < 0.2) await this.#tally(target, 'add', false)
    else if (dice < 0.35) await this.#tally(target, 'add', true)
    else if (dice < 0.42) await this.#refused(target)
    else if (dice < 0.5) await this.#tally(target, 'put', true)
    else if (dice < 0.53) await this.#poison(target)
    else if (dice < 0.6) await this.#ask(target)
    else if (dice < 0.72) {
      const key = this.#pick(['c1', 'c2', 'c3'])
      const to = TARGETS.filter(() => this.#random() < 0.5)
      await this.#tell('courier', key, (id, n) =>
        this.#reach.ref(Courier, key).tell('carry', { sender: this.name, n, to }, { id }),
      )
    } else if (dice < 0.82) {
      const key = this.#pick(['a1', 'a2'])
      const name = `${this.name}-${++this.#count}`
      await this.#tell('alarm', key, (id, n) =>
        this.#reach
          .ref(Alarm, key)
          .tell('set', { sender: this.name, n, name, inMs: Math.round(this.#random() * 3_000) }, { id }),
      )
      this.alarms.push({ alarm: key, name })
    } else await this.#job()
  }

  async #job(): Promise<void> {
    const boss = this.#pick(['b1', 'b2', 'b3'])
    const job = `${this.name}j${++this.#count}`
    const mode = this.#pick(MODES)
    await this.#tell('boss', boss, (id, n) =>
      this.#reach.ref(Boss, boss).tell('start', { sender: this.name, n, job, mode }, { id }),
    )
    const halted = this.#random() < 0.2
    this.jobs.push({ boss, job, mode, halted })
    if (!halted) return
    await this.#wait(this.#random() * 1_500)
    await this.#tell('boss', boss, (id, n) =>
      this.#reach.ref(Boss, boss).tell('halt', { sender: this.name, n, job }, { id }),
    )
  }

  async #tally(key: string, name: 'add' | 'put', confirmed: boolean): Promise<void> {
    const ref = this.#reach.ref(Tally, key)
    let send: ((id: string, n: number) => Promise<unknown>) | null = null
    send = (id, n) =>
      confirmed
        ? ref.confirm(name, { sender: this.name, n }, { id, within: '2s' })
        : ref.tell(name, { sender: this.name, n }, { id })
    const { id, n, value } = await this.#tell('tally', key, send)
    if (!confirmed) return
    if (typeof value !== 'number') this.wrong.push(`receipt of ${id} is ${String(value)}`)
    if (this.#random() > 0.2) return
    const again = await this.#insist(() => send(id, n))
    if (again !== value) this.wrong.push(`receipt of ${id} was ${String(value)}, then ${String(again)}`)
  }

  /** A refusal undoes what the handler did: its number is free again. */
  async #refused(key: string): Promise<void> {
    const id = `${this.name}.${++this.#count}`
    const n = (this.#numbers.get(`tally/${key}`) ?? 0) + 1
    const answer = await this.#insist(
      () => this.#reach.ref(Tally, key).confirm('refused', { sender: this.name, n }, { id, within: '2s' }),
      'BLOCKED',
    )
    if (answer !== 'BLOCKED') this.wrong.push(`${id} was not refused but ${String(answer)}`)
  }

  async #poison(key: string): Promise<void> {
    const id = `${this.name}.${++this.#count}`
    await this.#insist(() => this.#reach.ref(Tally, key).tell('poison', {}, { id }))
    this.accepted.push({ id, to: `tally/${key}`, what: 'poison' })
  }

  async #ask(key: string): Promise<void> {
    try {
      await this.#reach.ref(Tally, key).ask(this.#random() < 0.5 ? 'bump' : 'read', {})
    } catch {
      // At most once, with or without an answer.
    }
  }

  async #tell(
    kind: string,
    key: string,
    send: (id: string, n: number) => Promise<unknown>,
  ): Promise<{ id: string; n: number; value: unknown }> {
    const to = `${kind}/${key}`
    const n = (this.#numbers.get(to) ?? 0) + 1
    this.#numbers.set(to, n)
    const id = `${this.name}.${++this.#count}`
    const value = await this.#insist(() => send(id, n))
    this.accepted.push({ id, to, what: 'tell' })
    return { id, n, value }
  }

  /** Repeats until there is an answer; a refusal with `code` is one. */
  async #insist(send: () => Promise<unknown>, code?: string): Promise<unknown> {
    for (;;) {
      try {
        return await send()
      } catch (error) {
        const failure = coded(error)
        if (failure.code === code) return code
        if (!failure.retryable) {
          this.wrong.push(`${failure.code}: ${failure.message}`)
          return undefined
        }
        await this.#wait(50 + this.#random() * 400)
      }
    }
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!
  }
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#kit.clock.setTimeout(resolve, ms))
  }
}
