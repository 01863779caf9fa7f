import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { encodeEnvelope, encodeReply } from '#shared/wire/envelope.ts'
import type { Address, Envelope, Reply } from '#shared/wire/envelope.ts'
import { commandSubject } from '#shared/wire/subjects.ts'
import type { Delivery } from '#shared/transport/port.ts'
import { Activation } from './activation.ts'
import { isInbox } from './execution.ts'
import type { Execution } from './execution.ts'
import { PROBE, endedId, runtimeEnvelope, timerEnvelope, typeOf } from './items.ts'
import type { Item } from './items.ts'
import { AGAIN, BURIED_AT_ONCE, ENDED, MAX_HISTORY, TIMER, letter, letterId } from './letters.ts'
import { specOf } from './message.ts'
import { onlySql } from './only-sql.ts'
import type { HeldPartition } from './partition.ts'
import { parse } from './schema.ts'
import { runReplayed } from './replayed.ts'
import type { AttemptError, DeadLetter, OutboxRow } from './store.ts'

/**
 * The mailbox of one actor and the work on its head (I2). Owned by its held partition, which feeds `push`; a fair queue
 * calls `#turn` for one attempt at the head at a time.
 *
 * Modes: *asleep* (no lane exists) -> `push` -> *queued* (`#scheduled`: the fair queue holds a ticket) -> *busy* (inside
 * `#turn`) -> queued again, *waiting* (`#retry`: the head failed and is tried again later, without holding a worker) or
 * *idle* -> after `sleepAfterMs` without work, relays or children the partition drops it.
 *
 * Invariants
 * - one item is handled at a time, in order; the head stays the head until it is done or a dead letter;
 * - a command is acknowledged only after its step has been committed and relayed;
 * - nothing is committed or answered after the partition was lost.
 */
/** An item and what has been tried with it. */
interface Ticket {
  readonly item: Item
  readonly history: AttemptError[]
  /** It may have been begun before, here or by another holder: a repetition, or a poison that kills its holder. */
  doubtful: boolean
  /** Started attempts as far as they are counted; null: the next start is not counted yet. */
  counted: number | null
  uncounted: number
  failures: number
  /** It is to be buried for this. */
  verdict: WaggleError | null
}

export class Lane {
  readonly address: Address
  readonly tenant: string
  readonly keyToken: string
  /** `clock.elapsed()` when it last had work. */
  lastUsed: number
  readonly #held: HeldPartition
  readonly #activation: Activation
  readonly #tickets: Ticket[] = []
  #calls = 0
  #scheduled = false
  #busy = false
  #retry: Cancel | null = null

  constructor(held: HeldPartition, tenant: string, keyToken: string, unsent: readonly OutboxRow[]) {
    this.#held = held
    this.tenant = tenant
    this.keyToken = keyToken
    this.address = `${held.kind}/${keyToken}`
    this.lastUsed = held.core.clock.elapsed()
    this.#activation = new Activation(held, tenant, keyToken, unsent)
  }

  get idle(): boolean {
    return this.#tickets.length === 0 && !this.#busy && !this.#activation.relaying
  }
  /** Items that wait. */
  get depth(): number {
    return this.#tickets.length - (this.#busy ? 1 : 0)
  }
  /** Settles when everything said so far has been relayed. */
  get relayed(): Promise<void> {
    return this.#activation.relayed
  }

  push(item: Item): void {
    if (item.is === 'call') {
      if (this.#calls >= this.#held.core.limits.calls) {
        this.#held.core.observe('limit:hit', { limit: 'calls', tenant: this.tenant, code: 'MAILBOX_FULL' })
        return this.#refuse(item, new WaggleError('MAILBOX_FULL', { address: this.address }))
      }
      this.#calls++
    }
    const doubtful =
      item.is === 'command' && (item.delivery.deliveries > 1 || item.delivery.sequence <= this.#held.intake.mark)
    const fresh = { history: [], counted: null, uncounted: 0, failures: 0, verdict: null }
    this.#tickets.push({ item, doubtful: doubtful && !this.#stateless, ...fresh })
    this.#schedule()
  }

  /** Opens our epoch in the log, for the actor itself or for a child of it that goes on here. */
  open(child: Extract<Item, { is: 'open' }>['child']): Promise<void> {
    const done = new Deferred<void>()
    this.push({ is: 'open', child, id: `open:${this.#held.core.newId()}`, done })
    return done.promise
  }

  /** Drops a call that has not begun. */
  withdraw(id: string): boolean {
    const index = this.#tickets.findIndex(({ item }) => item.is === 'call' && item.envelope.id === id)
    const item = this.#tickets[index]?.item
    if (item?.is !== 'call' || (index === 0 && this.#busy)) return false
    this.#tickets.splice(index, 1)
    this.#calls--
    this.#refuse(item, new WaggleError('CANCELLED', { outcome: 'stopped' }, { expected: true }))
    return true
  }

  /** The partition is gone: nothing is begun any more. */
  close(): void {
    this.#retry?.()
    this.#retry = null
  }

  get #stateless(): boolean {
    return this.#held.definition.options.stateless === true
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy || this.#retry !== null || this.#tickets.length === 0) return
    if (this.#held.lost.aborted) return
    this.#scheduled = true
    this.#held.handlers.submit(this.tenant, () => this.#turn())
  }

  async #turn(): Promise<void> {
    this.#scheduled = false
    const ticket = this.#tickets[0]
    if (ticket === undefined || this.#held.lost.aborted) return
    this.#busy = true
    const waitMs = await this.#attempt(ticket)
    this.#busy = false
    if (this.#held.lost.aborted) return
    const { clock } = this.#held.core
    this.lastUsed = clock.elapsed()
    if (waitMs === null) {
      this.#tickets.shift()
      if (ticket.item.is === 'call') this.#calls--
    } else {
      this.#retry = clock.setTimeout(() => {
        this.#retry = null
        this.#schedule()
      }, waitMs)
    }
    this.#schedule()
  }

  /** One attempt at the head. Null when it is done with; otherwise when to try again, in milliseconds. */
  async #attempt(ticket: Ticket): Promise<number | null> {
    try {
      await this.#handle(ticket)
      return null
    } catch (error) {
      const failure = coded(error, 'CRASHED')
      this.#activation.forget()
      if (failure.code === 'STALE_EPOCH') this.#held.lose(failure)
      return this.#held.lost.aborted ? null : this.#failed(ticket, failure)
    }
  }

  #failed(ticket: Ticket, failure: WaggleError): number | null {
    const { item } = ticket
    const { core } = this.#held
    const { limits, clock } = core
    const again = backoffMs(ticket.failures++, limits.retryFirstMs, limits.retryMaxMs, core.random)
    // Never counted as the fault of what is handled; what became of it is asked before the next attempt.
    if (failure.code === 'DATABASE_DOWN' || item.is === 'call') {
      ticket.doubtful ||= !this.#stateless
      return again
    }
    if (ticket.verdict !== null) {
      core.log.error({ address: this.address, code: failure.code, reason: failure.message }, 'cannot be buried yet')
      return again
    }
    if (item.is === 'command' && BURIED_AT_ONCE.has(failure.code)) {
      ticket.verdict = failure
      return 0
    }
    ticket.history.push({ code: failure.code, message: failure.message, at: clock.now() })
    const started = Math.max(ticket.counted ?? 0, ticket.history.length)
    if (ticket.history.length > MAX_HISTORY) ticket.history.shift()
    ticket.counted = null
    ticket.doubtful ||= item.is === 'command' && !this.#stateless
    core.observe('command:handled:crashed', {
      address: this.address,
      type: typeOf(item),
      tenant: this.tenant,
      attempt: started,
      code: failure.code,
      message: failure.message,
    })
    this.#held.announce(this.tenant, this.address, 'crashed', failure.message.slice(0, 200))
    if (started < limits.attempts || item.is === 'open') return again
    ticket.verdict = new WaggleError('GAVE_UP', { attempts: started, last: failure.code, reason: failure.message })
    return 0
  }

  #handle(ticket: Ticket): Promise<void> {
    const { item } = ticket
    if (ticket.verdict !== null) return this.#bury(ticket, ticket.verdict)
    switch (item.is) {
      case 'command':
        return this.#command(ticket, item)
      case 'call':
        return this.#call(ticket, item)
      case 'timer':
        return this.#timer(ticket, item)
      case 'ended':
        return this.#ended(item)
      case 'open':
        return this.#open(item)
    }
  }

  async #command(ticket: Ticket, { envelope, delivery }: Extract<Item, { is: 'command' }>): Promise<void> {
    const { core, definition } = this.#held
    const { contract, options } = definition
    if (ticket.doubtful && (await this.#repeated(ticket, envelope, delivery))) return
    await this.#count(ticket, envelope)
    this.#checkAge(envelope)
    const started = core.clock.elapsed()
    const replayed = REPLAYED.has(envelope.type)
    const input = replayed ? envelope.payload : this.#input(envelope, 'tell')
    let execution = await this.#activation.begin(envelope)
    let answer: { value: unknown } | { error: WaggleError }
    try {
      answer = {
        value: await this.#run(execution, () =>
          replayed
            ? runReplayed(options, envelope.type, execution, input)
            : options.on[envelope.type]!(execution as never, input as never),
        ),
      }
    } catch (error) {
      const failure = coded(error, 'CRASHED')
      const fails = replayed ? [] : specOf(contract.messages, contract.kind, envelope.type, 'tell').fails
      if (!failure.expected || !(fails as readonly string[]).includes(failure.code)) throw failure
      // What it did the first time may be why it is refused now.
      if (await this.#repeated(ticket, envelope, delivery)) return
      // A refusal is an answer: the actor goes on, what the handler did is undone, the sender hears why.
      execution = await this.#activation.begin(envelope, 'nothing')
      answer = { error: failure }
    }
    const receipt = execution.receipt(answer)
    const clearAttempts = ticket.doubtful ? envelope.id : null
    const id = 'error' in answer ? refusedId(envelope) : envelope.id
    const committed = await this.#close(execution, () =>
      this.#activation.commit(execution, id, { clearAttempts }, envelope.at, receipt),
    )
    if (!committed) {
      if (await this.#repeated(ticket, envelope, delivery)) return
      throw new WaggleError('INTERNAL', { reason: 'The store names a duplicate that it does not know.' })
    }
    this.#ackAfterRelay(delivery)
    const about = { address: this.address, type: envelope.type, tenant: this.tenant }
    if ('error' in answer) core.observe('command:handled:refused', { ...about, code: answer.error.code })
    else core.observe('command:handled:done', { ...about, ms: core.clock.elapsed() - started })
  }

  /** True when the actor has handled it before: says the same receipt, acknowledges when what it said then is relayed. */
  async #repeated(ticket: Ticket, envelope: Envelope, delivery: Delivery): Promise<boolean> {
    const { core, kind, epoch } = this.#held
    const ids = [...new Set([envelope.id, refusedId(envelope)])]
    const processed = await core.store.processed(this.tenant, kind, this.keyToken, ids)
    const known = ids.find((id) => processed.has(id))
    if (known === undefined) return false
    // Only now: a step of ours may have come true after the store was last asked what became of it.
    if (ticket.failures > 0) this.#activation.doubt()
    await this.#activation.settle()
    if (isInbox(envelope.receipt)) {
      // Nobody waited for it then: that it was accepted is all there is to say.
      const said = processed.get(known) ?? encodeReply({ kind: 'value', epoch, value: null })
      this.#publish(envelope.receipt, said)
    }
    this.#ackAfterRelay(delivery)
    core.observe('command:handled:duplicate', { address: this.address, type: envelope.type, tenant: this.tenant })
    return true
  }

  /** Counts a start, in the store where the start itself may be what kills us. */
  async #count(ticket: Ticket, envelope: Envelope): Promise<void> {
    if (ticket.counted !== null) return
    const { core } = this.#held
    if (ticket.doubtful) {
      const last = ticket.history.at(-1) ?? null
      const stored = await core.store.attempt(this.#held.fence(this.tenant), this.keyToken, envelope.id, last)
      ticket.counted = stored + ticket.uncounted
    } else {
      ticket.uncounted = ticket.counted = ticket.history.length + 1
    }
    if (ticket.counted > core.limits.attempts) throw new WaggleError('GAVE_UP', { attempts: ticket.counted - 1 })
  }

  #checkAge(envelope: Envelope): void {
    const now = this.#held.core.clock.now()
    if (envelope.at < now - this.#held.core.limits.processedMs) throw new WaggleError('TOO_OLD', { at: envelope.at })
    if (REPLAYED.has(envelope.type)) return
    const { contract } = this.#held.definition
    const spec = specOf(contract.messages, contract.kind, envelope.type, 'tell')
    if (spec.expiresMs !== null && envelope.at + spec.expiresMs < now)
      throw new WaggleError('EXPIRED', { at: envelope.at, expiresMs: spec.expiresMs })
  }

  async #call(ticket: Ticket, item: Extract<Item, { is: 'call' }>): Promise<void> {
    const { core, definition, epoch } = this.#held
    const { envelope } = item
    const started = core.clock.elapsed()
    const about = { address: this.address, type: envelope.type, tenant: this.tenant }
    try {
      // Its fate was unknown: its caller was told so, and it may not come true any more.
      if (ticket.doubtful) return await this.#activation.settle()
      if (envelope.deadline !== 0 && envelope.deadline <= core.clock.now())
        throw new WaggleError('DEADLINE', { waitedIn: 'mailbox' })
      if (envelope.type === PROBE) {
        const children = this.#held.childrenOf(this.tenant, this.address)
        const value = { node: core.node, epoch, mailbox: this.depth, children }
        return this.#answer(item, { kind: 'value', epoch, value })
      }
      const { contract, options } = definition
      const verb = contract.messages[envelope.type]?.verb === 'stream' ? 'stream' : 'ask'
      const input = this.#input(envelope, verb)
      const execution = await this.#activation.begin(envelope)
      const answer = await this.#run(execution, () => options.on[envelope.type]!(execution as never, input as never))
      const value = verb === 'stream' ? [...(answer as Iterable<unknown>)] : answer
      const id = `call:${envelope.id}`
      await this.#close(execution, () => this.#activation.commit(execution, id, { call: true }))
      this.#reply(item, verb, value)
      core.observe('call:answered:done', { ...about, ms: core.clock.elapsed() - started })
    } catch (error) {
      const failure = coded(error, 'CRASHED')
      if (failure.code === 'STALE_EPOCH' || ticket.doubtful) throw failure
      core.observe('call:answered:failed', { ...about, code: failure.code })
      this.#refuse(item, failure)
      if (failure.code === 'DATABASE_DOWN') throw failure
      if (!failure.expected) this.#activation.forget()
    }
  }

  async #timer(ticket: Ticket, { row, id }: Extract<Item, { is: 'timer' }>): Promise<void> {
    // Forgotten or moved by what was handled while it waited. (One that was begun is gone on with under its id.)
    if (ticket.failures === 0 && !this.#held.timers.stands(row)) return
    const handler = this.#held.definition.options.timers?.[row.name]
    await this.#internal(id, timerEnvelope(row, this.address), (execution) => {
      execution.forget(row.name)
      return handler?.(execution as never, row.payload)
    })
  }

  async #ended({ envelope, end, change, letter: buried, told }: Extract<Item, { is: 'ended' }>): Promise<void> {
    if (end.state !== 'done') await this.#leaveInDoubt(end.address)
    // What escalates puts its parent down: it goes on from what is stored.
    if (end.escalated) this.#activation.forget()
    const work = (execution: Execution): unknown => {
      execution.changeRun(change())
      if (buried !== null) this.#held.sayBuried(execution, end.address, buried, AGAIN)
      return this.#held.definition.options.ended?.(execution as never, end)
    }
    await this.#internal(endedId(end, envelope), envelope, work, 'state', buried)
    if (buried !== null) this.#observeBuried(buried)
    told()
  }

  /** What a run had begun outside and will not settle any more: nobody knows whether it happened (I3). */
  async #leaveInDoubt(run: string): Promise<void> {
    const { store } = this.#held.core
    for (const id of await store.intendedBy(this.tenant, run))
      await store.settle(this.#held.fence(this.tenant), id, { status: 'unknown', result: null })
  }

  async #open({ child, id, done }: Extract<Item, { is: 'open' }>): Promise<void> {
    const envelope = runtimeEnvelope(this.tenant, this.address, '$open', this.#held.core.clock.now())
    const work = (execution: Execution): void => {
      if (child?.opens === true) execution.openActivation(child.who)
      if (child !== null) execution.changeRun(child.change())
    }
    await this.#internal(id, envelope, work, 'nothing')
    // Nothing is said in the new epoch before it has been opened in the log.
    this.#activation.relayed.then(
      () => done.resolve(),
      (error: unknown) => done.reject(coded(error)),
    )
  }

  /** A step of the runtime's own: like a command that nobody acknowledges. A repetition has been done already. */
  async #internal(
    id: string,
    envelope: Envelope,
    work: (execution: Execution) => unknown,
    needs: 'state' | 'nothing' = 'state',
    deadLetter: DeadLetter | null = null,
  ): Promise<void> {
    const execution = await this.#activation.begin(envelope, needs)
    await this.#run(execution, () => work(execution))
    await this.#close(execution, () => this.#activation.commit(execution, id, { deadLetter }))
    await this.#activation.settle()
  }

  #run(execution: Execution, work: () => unknown): Promise<unknown> {
    return this.#close(execution, async () =>
      onlySql(
        () => work(),
        () => execution.waitsForSql,
        this.#held.core.clock,
      ),
    )
  }

  /** Gives the execution's transaction back when the work on it fails. */
  async #close<Value>(execution: Execution, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (error) {
      await execution.abandon()
      throw error
    }
  }

  #input(envelope: Envelope, verb: 'tell' | 'ask' | 'stream'): unknown {
    const { contract, options } = this.#held.definition
    const spec = specOf(contract.messages, contract.kind, envelope.type, verb)
    const upcast = envelope.version < contract.version ? options.upcast?.[envelope.type] : undefined
    return parse(spec.input, upcast === undefined ? envelope.payload : upcast(envelope.payload, envelope.version))
  }

  /** A dead letter instead of a step (I13): written under the same id, so that what it was for is over. */
  async #bury(ticket: Ticket, error: WaggleError): Promise<void> {
    const { item, history } = ticket
    if (item.is === 'call' || item.is === 'open') return
    const { core } = this.#held
    const type = typeOf(item)
    const envelope = item.is === 'timer' ? timerEnvelope(item.row, this.address) : item.envelope
    const as = item.is === 'ended' ? { ...envelope, type: ENDED, deadline: 0, payload: item.end } : envelope
    if (item.is === 'command' && ticket.doubtful && (await this.#repeated(ticket, envelope, item.delivery))) return
    const execution = await this.#activation.begin(envelope, 'nothing')
    const id = item.is === 'command' ? envelope.id : item.is === 'timer' ? item.id : endedId(item.end, envelope)
    if (item.is === 'timer') execution.forget(item.row.name)
    if (item.is === 'ended') execution.changeRun(item.change())
    const receipt = item.is === 'command' ? execution.receipt({ error }) : null
    const deadLetter = letter(core, {
      // Outside of a transaction it may be written twice.
      ...(this.#stateless ? { id: letterId(this.#held.kind, envelope.id) } : {}),
      tenant: this.tenant,
      subject: item.is === 'command' ? item.delivery.subject : this.#subject,
      payload: item.is === 'command' ? item.delivery.data : encodeEnvelope(as),
      error,
      attempts: Number(error.details['attempts'] ?? history.length),
      history,
      trace: envelope.trace,
    })
    this.#held.sayBuried(execution, this.address, deadLetter, type)
    if (item.is === 'command') this.#sayBuried(execution, envelope, error)
    const at = item.is === 'command' ? envelope.at : core.clock.now()
    const closing = { deadLetter, clearAttempts: item.is === 'command' ? id : null }
    if (this.#stateless) await core.store.bury(deadLetter)
    await this.#close(execution, () => this.#activation.commit(execution, id, closing, at, receipt))
    await this.#activation.settle()
    this.#observeBuried(deadLetter)
    core.observe('command:handled:buried', { address: this.address, type, tenant: this.tenant, code: error.code })
    if (item.is === 'command') this.#ackAfterRelay(item.delivery)
    if (item.is === 'ended') item.told()
  }

  #sayBuried(execution: Execution, { type, payload }: Envelope, error: WaggleError): void {
    try {
      this.#held.definition.options.buried?.(execution, { type, payload, error })
    } catch (failure) {
      // It is put aside all the same: otherwise it would block its lane for ever.
      this.#held.core.log.error(
        { address: this.address, reason: coded(failure).message },
        'who waits could not be told',
      )
    }
  }

  /** Where a command to this actor goes. */
  get #subject(): string {
    return commandSubject(this.tenant, this.#held.partition, this.#held.kind, this.keyToken)
  }

  #observeBuried({ tenant, code }: DeadLetter): void {
    this.#held.core.observe('letter:buried', { tenant, kind: this.#held.kind, code })
  }

  #ackAfterRelay(delivery: Delivery): void {
    this.#activation.relayed.then(
      () => delivery.ack(),
      () => {},
    )
  }

  #reply(item: Extract<Item, { is: 'call' }>, verb: 'ask' | 'stream', value: unknown): void {
    const { epoch } = this.#held
    if (verb === 'ask') return this.#answer(item, { kind: 'value', epoch, value })
    const items = value as unknown[]
    items.forEach((entry, number) => this.#answer(item, { kind: 'item', epoch, number, value: entry }))
    this.#answer(item, { kind: 'end', epoch, number: items.length })
  }

  #refuse(item: Extract<Item, { is: 'call' }>, error: WaggleError): void {
    this.#answer(item, { kind: 'error', epoch: this.#held.epoch, error })
  }

  #answer(item: Extract<Item, { is: 'call' }>, reply: Reply): void {
    if (this.#held.lost.aborted || item.reply === '') return
    const failure = this.#publish(item.reply, encodeReply(reply))
    if (failure !== null && reply.kind !== 'error') this.#refuse(item, failure)
  }

  #publish(subject: string, bytes: Uint8Array): WaggleError | null {
    try {
      this.#held.core.transport.publish(subject, bytes)
      return null
    } catch (error) {
      return coded(error)
    }
  }
}

/** What is no message of a contract and may come all the same: as a dead letter that is replayed. */
const REPLAYED: ReadonlySet<string> = new Set([TIMER, ENDED, AGAIN])

/**
 * What a refusal is remembered under: the one try that heard it, known by its inbox. Nothing was done, so the same command
 * sent again is a new try (it may find room now), while a redelivery of this try hears the same once more.
 */
function refusedId({ id, receipt }: Envelope): string {
  return isInbox(receipt) ? `${id} ${receipt}` : id
}
