import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { delay } from '#shared/lib/clock.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { encodeReply } from '#shared/wire/envelope.ts'
import type { Address, Envelope, Reply } from '#shared/wire/envelope.ts'
import type { Delivery } from '#shared/transport/port.ts'
import { RESERVED_PREFIX } from './contract.ts'
import type { ChildEnd } from './definition.ts'
import { Execution } from './execution.ts'
import type { HeldPartition } from './partition.ts'
import { causeOf, specOf } from './message.ts'
import { onlySql } from './only-sql.ts'
import type { Entry } from './outbox.ts'
import { parse } from './schema.ts'
import type { AttemptError, RunChange, TimerRow } from './store.ts'

/**
 * One activation: the mailbox and the state of one actor (I2). Owned by its held partition, which feeds `push`; a fair
 * queue calls `next` for one item at a time.
 *
 * Modes: *asleep* (no lane exists) -> `push` -> *queued* (`#scheduled`, the fair queue holds a ticket) -> *busy* (inside
 * `next`) -> queued again or *idle* -> after `sleepAfterMs` without work and without children the partition drops it.
 *
 * Invariants
 * - one item is handled at a time, in order; a command that fails is retried here, at the head, until it is done or a
 *   dead letter;
 * - `#state` is what the store holds, or `undefined` when that is not known (first use, a crash, a doubt): it is then
 *   loaded before anything is handled;
 * - what a step says is relayed in the order of the steps (`#relay` is a chain), and a command is acknowledged only
 *   after its step has been relayed;
 * - nothing is committed or answered after the partition was lost.
 */
export type Item =
  | { readonly is: 'command'; readonly envelope: Envelope; readonly delivery: Delivery }
  | { readonly is: 'call'; readonly envelope: Envelope; readonly reply: string }
  | { readonly is: 'timer'; readonly row: TimerRow }
  | { readonly is: 'ended'; readonly envelope: Envelope; readonly end: ChildEnd; readonly change: RunChange }
  | {
      readonly is: 'open'
      readonly child: { readonly who: Address; readonly change: RunChange } | null
      readonly done: Deferred<void>
    }

export class Lane {
  readonly address: Address
  readonly tenant: string
  readonly keyToken: string
  /** `clock.elapsed()` when it last had work. */
  lastUsed: number
  readonly #held: HeldPartition
  readonly #items: Item[] = []
  #calls = 0
  #scheduled = false
  #busy = false
  #state: { version: number; json: string; value: unknown } | undefined
  /** A lower epoch of this actor has spoken before: the first step must open ours in the log. */
  #mustOpen = false
  #relay: Promise<void> = Promise.resolve()

  constructor(held: HeldPartition, tenant: string, keyToken: string) {
    this.#held = held
    this.tenant = tenant
    this.keyToken = keyToken
    this.address = `${held.kind}/${keyToken}`
    this.lastUsed = held.core.clock.elapsed()
  }

  get idle(): boolean {
    return !this.#busy && !this.#scheduled && this.#items.length === 0
  }
  get depth(): number {
    return this.#items.length
  }

  push(item: Item): void {
    if (item.is === 'call') {
      if (this.#calls >= this.#held.core.limits.calls) {
        this.#held.core.observe('limit:hit', { limit: 'calls', tenant: this.tenant, code: 'MAILBOX_FULL' })
        return this.#answer(item, {
          kind: 'error',
          epoch: this.#held.epoch,
          error: new WaggleError('MAILBOX_FULL', { address: this.address }),
        })
      }
      this.#calls++
    }
    this.#items.push(item)
    this.#schedule()
  }

  /** Opens our epoch in the log, for the actor itself or for a child of it that goes on here. */
  open(child: { readonly who: Address; readonly change: RunChange } | null): Promise<void> {
    const done = new Deferred<void>()
    this.push({ is: 'open', child, done })
    return done.promise
  }

  /** Drops a call that has not begun. */
  withdraw(id: string): boolean {
    const index = this.#items.findIndex((item) => item.is === 'call' && item.envelope.id === id)
    if (index < 0) return false
    const [item] = this.#items.splice(index, 1)
    this.#calls--
    if (item?.is === 'call')
      this.#answer(item, {
        kind: 'error',
        epoch: this.#held.epoch,
        error: new WaggleError('CANCELLED', { outcome: 'stopped' }),
      })
    return true
  }

  /** Forgets the state: the next item finds what the store holds. */
  reset(): void {
    this.#state = undefined
  }

  /** Settles when everything said so far has been relayed. */
  get relayed(): Promise<void> {
    return this.#relay
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy || this.#items.length === 0 || this.#held.lost.aborted) return
    this.#scheduled = true
    this.#held.handlers.submit(this.tenant, () => this.#next())
  }

  async #next(): Promise<void> {
    this.#scheduled = false
    if (this.#held.lost.aborted) return
    const item = this.#items.shift()
    if (item === undefined) return
    this.#busy = true
    if (item.is === 'call') this.#calls--
    try {
      await this.#handle(item)
    } catch (error) {
      const failure = coded(error)
      if (failure.code === 'STALE_EPOCH') this.#held.lose(failure)
      else if (!this.#held.lost.aborted)
        this.#held.core.log.error(
          { address: this.address, code: failure.code, reason: failure.message },
          'an item could not be handled',
        )
    } finally {
      this.#busy = false
      this.lastUsed = this.#held.core.clock.elapsed()
      this.#schedule()
    }
  }

  #handle(item: Item): Promise<void> {
    switch (item.is) {
      case 'command':
        return this.#command(item)
      case 'call':
        return this.#call(item)
      case 'timer':
        return this.#internal(
          `timer:${item.row.name}:${item.row.dueAt}`,
          timerEnvelope(item.row, this.address),
          (execution) => {
            execution.forget(item.row.name)
            const handler = this.#held.definition.options.timers?.[item.row.name]
            return handler?.(execution as never, item.row.payload)
          },
        )
      case 'ended':
        return this.#internal(`ended:${item.end.address}`, item.envelope, (execution) => {
          execution.changeRun(item.change)
          return this.#held.definition.options.ended?.(execution as never, item.end)
        })
      case 'open':
        return this.#open(item)
    }
  }

  async #open({ child, done }: Extract<Item, { is: 'open' }>): Promise<void> {
    const now = this.#held.core.clock.now()
    try {
      await this.#internal(null, runtimeEnvelope(this.tenant, this.address, '$open', now), (execution) => {
        if (child === null) return
        execution.openActivation(child.who)
        execution.changeRun(child.change)
      })
      await this.#relay
      done.resolve()
    } catch (error) {
      done.reject(coded(error))
      throw error
    }
  }

  async #command({ envelope, delivery }: Extract<Item, { is: 'command' }>): Promise<void> {
    const { core, definition } = this.#held
    const { limits, clock } = core
    const history: AttemptError[] = []
    const stateless = definition.options.stateless === true
    // Only a command that may have been begun before can be a repetition or a poison that kills its holder.
    let doubtful = !stateless && (delivery.deliveries > 1 || delivery.sequence <= this.#held.mark)
    for (let attempt = 0; ; attempt++) {
      if (doubtful && (await this.#repeated(envelope, delivery))) return
      const counted = doubtful
        ? await core.store.attempt(this.#held.fence(this.tenant), this.keyToken, envelope.id, history.at(-1) ?? null)
        : attempt
      const started = clock.elapsed()
      try {
        if (counted > limits.attempts)
          throw new WaggleError('GAVE_UP', { attempts: counted - 1 }, { cause: history.at(-1) })
        this.#checkAge(envelope)
        await this.#runCommand(envelope, delivery, counted > 0)
        core.observe('command:handled:done', {
          address: this.address,
          type: envelope.type,
          tenant: this.tenant,
          ms: clock.elapsed() - started,
        })
        return
      } catch (error) {
        const failure = coded(error, 'CRASHED')
        this.reset()
        if (failure.code === 'STALE_EPOCH' || this.#held.lost.aborted) throw failure
        if (BURIED_AT_ONCE.has(failure.code)) return await this.#bury(envelope, delivery, failure, counted, history)
        if (failure.code === 'DATABASE_DOWN') {
          // Nothing is known: it may have been committed. Never counted as the command's fault.
          await this.#held.recoverUnsent()
        } else {
          history.push({ code: failure.code, message: failure.message, at: clock.now() })
          core.observe('command:handled:crashed', {
            address: this.address,
            type: envelope.type,
            tenant: this.tenant,
            attempt: attempt + 1,
            code: failure.code,
            message: failure.message,
          })
          this.#held.announce(this.tenant, this.address, 'crashed', failure.message.slice(0, 200))
        }
        doubtful = !stateless
        if (stateless && attempt + 1 >= limits.attempts)
          return await this.#bury(
            envelope,
            delivery,
            new WaggleError('GAVE_UP', { attempts: attempt + 1 }),
            attempt + 1,
            history,
          )
        await delay(clock, backoffMs(attempt, limits.retryFirstMs, limits.retryMaxMs, core.random), this.#held.lost)
      }
    }
  }

  /** True when the actor has handled it before: says the same receipt, relays what is unsent, acknowledges. */
  async #repeated(envelope: Envelope, delivery: Delivery): Promise<boolean> {
    const { core } = this.#held
    const processed = await core.store.processed(this.tenant, this.#held.kind, this.keyToken, [envelope.id])
    const receipt = processed.get(envelope.id)
    if (receipt === undefined) return false
    if (receipt !== null && envelope.receipt !== '') core.transport.publish(envelope.receipt, receipt)
    await this.#relay
    delivery.ack()
    core.observe('command:handled:duplicate', { address: this.address, type: envelope.type, tenant: this.tenant })
    return true
  }

  #checkAge(envelope: Envelope): void {
    const now = this.#held.core.clock.now()
    if (envelope.at < now - this.#held.core.limits.processedMs) throw new WaggleError('TOO_OLD', { at: envelope.at })
    if (envelope.type.startsWith(RESERVED_PREFIX)) throw new WaggleError('UNKNOWN_MESSAGE', { message: envelope.type })
    const { contract } = this.#held.definition
    const spec = specOf(contract.messages, contract.kind, envelope.type, 'tell')
    if (spec.expiresMs !== null && envelope.at + spec.expiresMs < now)
      throw new WaggleError('EXPIRED', { at: envelope.at, expiresMs: spec.expiresMs })
  }

  async #runCommand(envelope: Envelope, delivery: Delivery, clearAttempts: boolean): Promise<void> {
    const { core, definition } = this.#held
    const { contract, options } = definition
    const input = this.#input(envelope, 'tell')
    const execution = await this.#begin(envelope)
    let answer: { value: unknown } | { error: WaggleError }
    try {
      answer = {
        value: await onlySql(
          () => options.on[envelope.type]!(execution as never, input as never),
          () => execution.waitsForSql,
          core.clock,
        ),
      }
    } catch (error) {
      const failure = coded(error, 'CRASHED')
      const { fails } = specOf(contract.messages, contract.kind, envelope.type, 'tell')
      if (!failure.expected || !fails.includes(failure.code)) {
        await execution.abandon()
        throw failure
      }
      // A refusal is an answer: the actor goes on, what the handler did is undone, the sender hears why.
      await execution.abandon()
      const refusal = await this.#begin(envelope)
      answer = { error: failure }
      core.observe('command:handled:refused', {
        address: this.address,
        type: envelope.type,
        tenant: this.tenant,
        code: failure.code,
      })
      return await this.#finish(refusal, envelope, delivery, answer, clearAttempts)
    }
    await this.#finish(execution, envelope, delivery, answer, clearAttempts)
  }

  async #finish(
    execution: Execution,
    envelope: Envelope,
    delivery: Delivery,
    answer: { value: unknown } | { error: WaggleError },
    clearAttempts: boolean,
  ): Promise<void> {
    const receipt = execution.receipt(answer)
    const command = { id: envelope.id, at: envelope.at, receipt }
    if (this.#held.definition.options.stateless === true) {
      const { entries } = execution.step(command, null) ?? { entries: [] }
      if (entries.length > 0) await this.#held.relay.send(null, entries, this.#held.lost)
      delivery.ack()
      return
    }
    const committed = await this.#commit(execution, command, { clearAttempts })
    if (committed === 'duplicate') {
      await this.#repeated(envelope, delivery)
      return
    }
    void this.#relay.then(
      () => delivery.ack(),
      () => {},
    )
  }

  async #call(item: Extract<Item, { is: 'call' }>): Promise<void> {
    const { core, definition, epoch } = this.#held
    const { envelope } = item
    const started = core.clock.elapsed()
    try {
      if (envelope.deadline !== 0 && envelope.deadline <= core.clock.now())
        throw new WaggleError('DEADLINE', { waitedIn: 'mailbox' })
      if (envelope.type === PROBE) {
        const children = this.#held.childrenOf(this.address)
        return this.#answer(item, {
          kind: 'value',
          epoch,
          value: { node: core.node, epoch, mailbox: this.depth, children },
        })
      }
      const { contract, options } = definition
      const verb = contract.messages[envelope.type]?.verb === 'stream' ? 'stream' : 'ask'
      const input = this.#input(envelope, verb)
      const execution = await this.#begin(envelope)
      let value: unknown
      try {
        value = await onlySql(
          () => options.on[envelope.type]!(execution as never, input as never),
          () => execution.waitsForSql,
          core.clock,
        )
        if (verb === 'stream') value = [...(value as Iterable<unknown>)]
        await this.#commit(execution, null, {})
      } catch (error) {
        await execution.abandon()
        throw error
      }
      this.#reply(item, verb, value)
      core.observe('call:answered:done', {
        address: this.address,
        type: envelope.type,
        tenant: this.tenant,
        ms: core.clock.elapsed() - started,
      })
    } catch (error) {
      const failure = coded(error, 'CRASHED')
      if (!failure.expected) this.reset()
      core.observe('call:answered:failed', {
        address: this.address,
        type: envelope.type,
        tenant: this.tenant,
        code: failure.code,
      })
      if (failure.code === 'STALE_EPOCH') throw failure
      this.#answer(item, { kind: 'error', epoch, error: failure })
    }
  }

  #reply(item: Extract<Item, { is: 'call' }>, verb: 'ask' | 'stream', value: unknown): void {
    const { epoch } = this.#held
    if (verb === 'ask') return this.#answer(item, { kind: 'value', epoch, value })
    const items = value as unknown[]
    items.forEach((entry, number) => this.#answer(item, { kind: 'item', epoch, number, value: entry }))
    this.#answer(item, { kind: 'end', epoch, number: items.length })
  }

  /** A timer or the end of a child: like a command whose sender is the runtime, retried until it is done. */
  async #internal(id: string | null, envelope: Envelope, work: (execution: Execution) => unknown): Promise<void> {
    const { core } = this.#held
    for (let attempt = 0; ; attempt++) {
      const execution = await this.#begin(envelope)
      try {
        await onlySql(
          () => work(execution),
          () => execution.waitsForSql,
          core.clock,
        )
        await this.#commit(execution, id === null ? null : { id, at: core.clock.now(), receipt: null }, {})
        return
      } catch (error) {
        await execution.abandon()
        this.reset()
        const failure = coded(error, 'CRASHED')
        if (failure.code === 'STALE_EPOCH' || this.#held.lost.aborted) throw failure
        core.observe('command:handled:crashed', {
          address: this.address,
          type: envelope.type,
          tenant: this.tenant,
          attempt: attempt + 1,
          code: failure.code,
          message: failure.message,
        })
        if (failure.code === 'DATABASE_DOWN') await this.#held.recoverUnsent()
        else if (id !== null && attempt + 1 >= core.limits.attempts)
          return await this.#buryInternal(id, envelope, failure)
        await delay(
          core.clock,
          backoffMs(attempt, core.limits.retryFirstMs, core.limits.retryMaxMs, core.random),
          this.#held.lost,
        )
      }
    }
  }

  async #begin(envelope: Envelope): Promise<Execution> {
    const held = this.#held
    // A first draft that was spoiled was never stored: it is made anew.
    if (this.#state === undefined || (this.#state.value === SPENT && this.#state.json === '')) await this.#load()
    const { json, value } = this.#state!
    // The draft of a handler that failed may be half changed: a fresh one is made of what was committed.
    const draft = value === SPENT ? JSON.parse(json) : value
    this.#state!.value = SPENT
    const execution = new Execution(held.core, held.fence(this.tenant), this.keyToken, envelope, draft, () =>
      held.childrenOf(this.address),
    )
    if (this.#mustOpen) execution.openActivation(this.address)
    return execution
  }

  async #load(): Promise<void> {
    const { core, definition, kind, epoch } = this.#held
    const { version, initial, upgrade } = definition.options.state
    const started = core.clock.elapsed()
    const stored =
      definition.options.stateless === true ? null : await core.store.load(this.tenant, kind, this.keyToken)
    let value: unknown
    if (stored === null || stored.version === 0) value = initial()
    else if (stored.version === version) value = stored.value
    else if (stored.version < version && upgrade !== undefined) value = upgrade(stored.value, stored.version)
    else
      throw new WaggleError('CONFIG', {
        reason: `State of ${this.address} has version ${stored.version}; this process knows ${version}.`,
      })
    // A state that is only initial or upgraded counts as changed, so that it is written with the first step.
    const json = stored !== null && stored.version === version ? JSON.stringify(value) : ''
    this.#mustOpen = stored !== null && stored.epoch < epoch
    this.#state = { version, json, value }
    core.observe('activation:woken', { address: this.address, ms: core.clock.elapsed() - started })
  }

  async #commit(
    execution: Execution,
    command: { id: string; at: number; receipt: Uint8Array | null } | null,
    extra: Parameters<Execution['step']>[2],
  ): Promise<'committed' | 'duplicate'> {
    const held = this.#held
    const { version } = held.definition.options.state
    const json = JSON.stringify(execution.state)
    const changed = json !== this.#state!.json
    const made = execution.step(command, changed ? { version, value: execution.state } : null, extra)
    if (made === null || (held.definition.options.stateless === true && made.step.outbox === null)) {
      this.#adopt(json, execution.state)
      return 'committed'
    }
    held.lost.throwIfAborted()
    const { step, entries } = made
    const { transaction } = execution
    const applied =
      transaction === null
        ? await held.committer(this.tenant).commit(step)
        : (await transaction.commit(step)).duplicates.length === 0
    if (!applied) {
      this.reset()
      return 'duplicate'
    }
    this.#mustOpen = false
    this.#adopt(json, execution.state)
    if (step.outbox !== null) this.#relayNext({ tenant: this.tenant, id: step.outbox.id }, entries)
    held.afterCommit(this, step, execution.stops)
    return 'committed'
  }

  #adopt(json: string, value: unknown): void {
    if (this.#state !== undefined) this.#state = { version: this.#state.version, json, value }
  }

  #relayNext(row: { tenant: string; id: string }, entries: readonly Entry[]): void {
    const held = this.#held
    this.#relay = this.#relay.then(() => held.relay.send(row, entries, held.lost))
    // Losing the partition ends the relay; the next holder sends the rest. Nobody else has to hear of it.
    this.#relay.catch(() => {})
  }

  #input(envelope: Envelope, verb: 'tell' | 'ask' | 'stream'): unknown {
    const { contract, options } = this.#held.definition
    const spec = specOf(contract.messages, contract.kind, envelope.type, verb)
    const upcast = envelope.version < contract.version ? options.upcast?.[envelope.type] : undefined
    return parse(spec.input, upcast === undefined ? envelope.payload : upcast(envelope.payload, envelope.version))
  }

  async #bury(
    envelope: Envelope,
    delivery: Delivery,
    error: WaggleError,
    attempts: number,
    history: readonly AttemptError[],
  ): Promise<void> {
    const { core } = this.#held
    core.observe('command:handled:buried', {
      address: this.address,
      type: envelope.type,
      tenant: this.tenant,
      code: error.code,
    })
    const at = core.clock.now()
    const letter = {
      id: core.newId(),
      tenant: this.tenant,
      subject: delivery.subject,
      payload: delivery.data,
      code: error.code,
      message: error.message,
      attempts: Math.max(1, attempts),
      history: history.length > 0 ? history : [{ code: error.code, message: error.message, at }],
      trace: envelope.trace,
      at,
    }
    const execution = await this.#begin(envelope)
    execution.receipt({ error })
    this.#held.sayBuried(execution, this, letter, envelope.type)
    await this.#commit(
      execution,
      { id: envelope.id, at: envelope.at, receipt: null },
      { deadLetter: letter, clearAttempts: true },
    )
    await this.#relay
    delivery.ack()
  }

  async #buryInternal(id: string, envelope: Envelope, error: WaggleError): Promise<void> {
    const { core } = this.#held
    const at = core.clock.now()
    const letter = {
      id: core.newId(),
      tenant: this.tenant,
      subject: `${this.address} ${id}`,
      payload: encodeReply({ kind: 'value', epoch: this.#held.epoch, value: { id, cause: causeOf(envelope).id } }),
      code: error.code,
      message: error.message,
      attempts: core.limits.attempts,
      history: [{ code: error.code, message: error.message, at }],
      trace: envelope.trace,
      at,
    }
    const execution = await this.#begin(envelope)
    if (id.startsWith('timer:')) execution.forget(id.split(':')[1]!)
    this.#held.sayBuried(execution, this, letter, id)
    await this.#commit(execution, { id, at, receipt: null }, { deadLetter: letter })
  }

  #answer(item: Extract<Item, { is: 'call' }>, reply: Reply): void {
    if (this.#held.lost.aborted || item.reply === '') return
    try {
      this.#held.core.transport.publish(item.reply, encodeReply(reply))
    } catch (error) {
      const failure = coded(error)
      if (reply.kind !== 'error') this.#answer(item, { kind: 'error', epoch: reply.epoch, error: failure })
    }
  }
}

/** A call that every virtual actor answers: proof that its mailbox is being worked off. */
export const PROBE = `${RESERVED_PREFIX}probe`
/** Failures that no retry mends. */
const BURIED_AT_ONCE: ReadonlySet<string> = new Set([
  'TOO_OLD',
  'EXPIRED',
  'BAD_INPUT',
  'UNKNOWN_MESSAGE',
  'GAVE_UP',
  'TOO_LARGE',
  'TOO_MANY_HOPS',
])
/** Stands for a draft that was given to a handler. */
const SPENT = Symbol('spent')

function timerEnvelope(row: TimerRow, self: Address): Envelope {
  const envelope = runtimeEnvelope(row.tenant, self, `${RESERVED_PREFIX}timer`, row.dueAt)
  return { ...envelope, id: `timer:${row.name}:${row.dueAt}`, payload: row.payload }
}

/** A message of the runtime to an actor, on nobody's behalf. */
function runtimeEnvelope(tenant: string, self: Address, type: string, at: number): Envelope {
  const nobody = {
    chain: [],
    deadline: 0,
    attempt: 1,
    epoch: 0,
    control: 0,
    principal: null,
    taint: [],
    trace: '',
    receipt: '',
    payload: null,
  }
  return { ...nobody, id: type, type, version: 1, tenant, from: self, at }
}
