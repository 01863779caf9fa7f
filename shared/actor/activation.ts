import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { Address, Envelope } from '#shared/wire/envelope.ts'
import { Execution } from './execution.ts'
import type { HeldPartition } from './partition.ts'
import type { DeadLetter, OutboxRow, Step } from './store.ts'

/** What is written beside what the handler left behind. */
export interface Closing {
  readonly deadLetter?: DeadLetter | null
  readonly clearAttempts?: string | null
  /** A call: written only when it changed something, and not repeated when in doubt. */
  readonly call?: boolean
}

/**
 * The state of one actor and the way its steps take into the store and out to the world. Owned by its lane, which runs
 * one execution at a time: `begin` -> handler -> `commit` (or `Execution.abandon`).
 *
 * Invariants
 * - `#state` is what the store holds, or null when that is not known (first use, a crash, a doubt): it is then loaded
 *   before the next handler;
 * - every step has an id, so that a step whose fate is unknown can be repeated under it, and takes effect once (I3);
 * - after a doubt nothing is begun before the store has been asked what became of it;
 * - what a step says is relayed in the order of the steps (`#relay` is a chain), after what an earlier holder left unsent.
 */
export class Activation {
  readonly #held: HeldPartition
  readonly #tenant: string
  readonly #keyToken: string
  readonly #address: Address
  #state: { version: number; json: string; value: unknown } | null = null
  /** A lower epoch of this actor has spoken before: the first step must open ours in the log. */
  #mustOpen: boolean | null = null
  /** Rows may have been committed of which we do not know; `burn` is the id of a call that must not come true any more. */
  #doubt: { burn: string | null } | null = null
  #relay: Promise<void> = Promise.resolve()
  #relaying = 0

  constructor(held: HeldPartition, tenant: string, keyToken: string, unsent: readonly OutboxRow[]) {
    this.#held = held
    this.#tenant = tenant
    this.#keyToken = keyToken
    this.#address = `${held.kind}/${keyToken}`
    for (const row of unsent) this.#relayNext(() => held.relay.sendAgain(row, held))
  }

  /** Settles when everything said so far has been relayed; rejects when the partition was lost before. */
  get relayed(): Promise<void> {
    return this.#relay
  }
  get relaying(): boolean {
    return this.#relaying > 0
  }

  /** Forgets the state: the next handler finds what the store holds. */
  forget(): void {
    this.#state = null
  }

  /** Something may have been committed of which we have not heard. */
  doubt(): void {
    this.#doubt ??= { burn: null }
  }

  /** Asks the store what became of a step whose fate is unknown: its words are relayed, its runs and timers taken up. */
  async settle(): Promise<void> {
    if (this.#doubt === null) return
    const { core, kind, partition } = this.#held
    const { burn } = this.#doubt
    if (burn !== null) await this.#held.committer(this.#tenant).commit(this.#emptyStep(burn))
    const mine = ({ tenant, key }: { tenant: string; key: string }): boolean =>
      tenant === this.#tenant && key === this.#keyToken
    const [rows, runs] = await Promise.all([
      core.store.unsent(kind, partition),
      core.store.unfinishedRuns(kind, partition),
    ])
    for (const row of rows.filter(mine)) this.#relayNext(() => this.#held.relay.sendAgain(row, this.#held))
    this.#held.takeUp(
      this.#tenant,
      this.#keyToken,
      runs.filter((row) => mine({ tenant: row.tenant, key: row.parentKey })),
    )
    this.#doubt = null
  }

  /** @param needs whether the work looks at the state; burying and refusing do not, and work when it cannot be read */
  async begin(envelope: Envelope, needs: 'state' | 'nothing' = 'state'): Promise<Execution> {
    await this.settle()
    const held = this.#held
    let draft: unknown
    if (needs === 'state') {
      // A first draft that was spoiled was never stored: it is made anew.
      if (this.#state === null || (this.#state.value === SPENT && this.#state.json === '')) await this.#load()
      const state = this.#state!
      // The draft of a handler that failed may be half changed: a fresh one is made of what was committed.
      draft = state.value === SPENT ? JSON.parse(state.json) : state.value
      state.value = SPENT
    } else if (this.#mustOpen === null) {
      const stored = await this.#stored()
      this.#mustOpen = stored !== null && stored.epoch < held.epoch
    }
    const execution = new Execution(held.core, held.fence(this.#tenant), this.#keyToken, envelope, draft, () =>
      held.childrenOf(this.#tenant, this.#address),
    )
    if (this.#mustOpen === true) execution.openActivation(this.#address)
    return execution
  }

  /** False when the step had been committed before (nothing of it was applied). Throws what the store throws. */
  async commit(
    execution: Execution,
    id: string,
    closing: Closing = {},
    at = this.#held.core.clock.now(),
    receipt: Uint8Array | null = null,
  ): Promise<boolean> {
    const held = this.#held
    const { version } = held.definition.options.state
    const before = this.#state
    const json = execution.state === undefined || before === null ? null : JSON.stringify(execution.state)
    const changed = json !== null && json !== before?.json
    for (const { address, reason } of execution.stops) {
      const change = held.stopChange(this.#tenant, address, reason)
      if (change !== null) execution.changeRun(change)
    }
    const { step, entries, quiet } = execution.step(
      { id, at, receipt },
      changed ? { version, value: execution.state } : null,
      closing,
    )
    if (held.definition.options.stateless === true) {
      if (step.timers.length + step.runs.length > 0)
        throw new WaggleError('CONFIG', { reason: `${held.kind} is stateless: it has no timers and no children.` })
      await held.relay.send(this.#tenant, null, entries, held)
      held.relay.confirm(entries)
      return true
    }
    if (!quiet || closing.call !== true) {
      held.lost.throwIfAborted()
      if (!(await this.#apply(execution, step, closing.call === true))) return false
      this.#mustOpen = false
    }
    if (json !== null && before !== null) this.#state = { version: before.version, json, value: execution.state }
    held.relay.confirm(entries)
    if (step.outbox !== null) {
      const { id: row } = step.outbox
      this.#relayNext(() => held.relay.send(this.#tenant, row, entries, held))
    }
    held.afterCommit(this.#tenant, this.#keyToken, step, execution)
    return true
  }

  async #apply(execution: Execution, step: Step, call: boolean): Promise<boolean> {
    const { transaction } = execution
    try {
      const applied =
        transaction === null
          ? await this.#held.committer(this.#tenant).commit(step)
          : (await transaction.commit(step)).duplicates.length === 0
      if (applied) return true
    } catch (error) {
      if (coded(error).code === 'DATABASE_DOWN') this.#doubt = { burn: call ? step.command!.id : null }
      this.#state = null
      throw error
    }
    // Who committed it before may have been we ourselves, without having heard of it.
    this.#doubt = { burn: null }
    this.#state = null
    return false
  }

  #emptyStep(id: string): Step {
    const at = this.#held.core.clock.now()
    const nothing = { state: null, outbox: null, timers: [], runs: [], openings: [], deadLetter: null }
    return { key: this.#keyToken, command: { id, at, receipt: null }, ...nothing, clearAttempts: null }
  }

  async #load(): Promise<void> {
    const { core, definition, epoch } = this.#held
    const { version, initial, upgrade } = definition.options.state
    const started = core.clock.elapsed()
    const stored = await this.#stored()
    this.#mustOpen = stored !== null && stored.epoch < epoch
    let value: unknown
    if (stored === null || stored.version === 0) value = initial()
    else if (stored.version === version) value = stored.value
    else if (stored.version < version && upgrade !== undefined) value = upgrade(stored.value, stored.version)
    else
      throw new WaggleError('CONFIG', {
        reason: `State of ${this.#address} has version ${stored.version}; this process knows ${version}.`,
      })
    // A state that is only initial or upgraded counts as changed, so that it is written with the first step.
    const json = stored !== null && stored.version === version ? JSON.stringify(value) : ''
    this.#state = { version, json, value }
    core.observe('activation:woken', { address: this.#address, ms: core.clock.elapsed() - started })
  }

  async #stored(): ReturnType<HeldPartition['core']['store']['load']> {
    const { core, definition, kind } = this.#held
    return definition.options.stateless === true ? null : await core.store.load(this.#tenant, kind, this.#keyToken)
  }

  #relayNext(work: () => Promise<void>): void {
    this.#relaying++
    this.#relay = this.#relay.then(work).finally(() => this.#relaying--)
    // Losing the partition ends the relay, and the next holder sends the rest. Anything else is a defect: the actor says
    // nothing more, because nothing may be said out of order.
    this.#relay.catch((error: unknown) => {
      if (this.#held.lost.aborted) return
      const { code, message: reason } = coded(error)
      this.#held.core.log.error({ address: this.#address, code, reason }, 'an outbox row cannot be relayed')
    })
  }
}

/** Stands for a draft that was given to a handler. */
const SPENT = Symbol('spent')
