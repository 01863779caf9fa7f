import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { milliseconds } from '#shared/lib/duration.ts'
import type { Duration } from '#shared/lib/duration.ts'
import { decodeReply, encodeEnvelope } from '#shared/wire/envelope.ts'
import type { Address, Envelope, Principal, Reply } from '#shared/wire/envelope.ts'
import { encodeKey, encodeName } from '#shared/wire/names.ts'
import { askSubject, callSubject, commandSubject, partitionOf, signalSubject } from '#shared/wire/subjects.ts'
import type { Calls } from './calls.ts'
import type { Contract, PoolContract } from './contract.ts'
import type { Core } from './core.ts'
import { PLATFORM } from './core.ts'
import type { TenantCredit } from './credit.ts'
import { PROBE } from './items.ts'
import type { LogShare } from './log-share.ts'
import { checkAncestor, checkHops, isOutside, originOf, passed, specOf } from './message.ts'
import type { Origin } from './message.ts'
import { messageId } from './outbox.ts'
import type { LocalPools } from './pools.ts'
import type { AskOptions, PoolRef, Presence, Reach, Ref, TellOptions } from './ref.ts'
import { parse } from './schema.ts'
import type { Schema } from './schema.ts'

/** Makes refs: for a principal at the edge, or within the work of an actor whose chain, deadline and signal they inherit. */
export class Reacher {
  readonly #core: Core
  readonly #calls: Calls
  readonly #credit: TenantCredit
  readonly #share: LogShare
  readonly #local: LocalPools

  constructor(core: Core, calls: Calls, credit: TenantCredit, share: LogShare, local: LocalPools) {
    this.#core = core
    this.#calls = calls
    this.#credit = credit
    this.#share = share
    this.#local = local
  }

  outside(principal: Principal, trace = ''): Reach {
    if (encodeName(principal.tenant) !== principal.tenant)
      throw new WaggleError('BAD_NAME', { reason: 'A tenant id is of a-z, 0-9 and single dashes.' })
    return this.within(originOf(principal, trace))
  }

  within(origin: Origin, inherited?: AbortSignal): Reach {
    return {
      principal: origin.principal ?? { ...PLATFORM, tenant: origin.tenant },
      ref: (contract, key) => this.#ref(origin, inherited, contract as unknown as Contract, key) as never,
      pool: (contract, name) => this.#pool(origin, inherited, contract as unknown as PoolContract, name) as never,
    }
  }

  #ref(origin: Origin, inherited: AbortSignal | undefined, contract: Contract, key: string | readonly string[]): Ref {
    const token = typeof key === 'string' ? encodeKey([key]) : encodeKey(key)
    const { tenant } = origin
    const partition = partitionOf(tenant, contract.kind, token, contract.partitions)
    const address: Address = `${contract.kind}/${token}`
    const subject = callSubject(tenant, partition, contract.kind, token)
    const commands = commandSubject(tenant, partition, contract.kind, token)
    const call = (name: string, version: number, input: unknown, withinMs: number): Parameters<Calls['ask']>[0] => {
      checkAncestor(origin.chain, address)
      const envelope = this.#envelope(origin, name, version, input, this.#deadline(origin, withinMs))
      return {
        subject,
        signal: signalSubject(tenant, contract.kind, token),
        envelope,
        holder: `${contract.kind}/${partition}`,
        unreachableMs: 2 * this.#core.limits.leaseMs,
      }
    }
    const send = async (envelope: Envelope, id: string): Promise<void> => {
      // Within the work of an actor it belongs to something that was accepted.
      if (isOutside(origin) && specOf(contract.messages, contract.kind, envelope.type, 'tell').begins)
        await this.#share.admit(tenant)
      await this.#credit.take(tenant)
      await this.#core.transport.append(commands, encodeEnvelope(envelope), { messageId: id })
    }
    return {
      address,
      tell: async (name: string, input: unknown, options: TellOptions = {}) => {
        const spec = specOf(contract.messages, contract.kind, name, 'tell')
        // Nobody waits for what is told.
        const away = { ...origin, chain: passed(origin.chain) }
        const envelope = this.#envelope(away, name, contract.version, parse(spec.input, input), 0, options.id)
        await send(envelope, messageId(commands, options.id, envelope.id))
      },
      confirm: async (name: string, input: unknown, options: TellOptions & AskOptions = {}) => {
        const spec = specOf(contract.messages, contract.kind, name, 'tell')
        const deadline = this.#deadline(origin, milliseconds(options.within ?? DEFAULT_CONFIRM_MS))
        const envelope = this.#envelope(origin, name, contract.version, parse(spec.input, input), 0, options.id)
        return await this.#confirm(envelope, deadline, send, options.signal ?? inherited)
      },
      ask: async (name: string, input: unknown, options: AskOptions = {}) => {
        const spec = specOf(contract.messages, contract.kind, name, 'ask')
        const value = await this.#calls.ask(
          call(name, contract.version, parse(spec.input, input), this.#within(options, spec.withinMs)),
          options.signal ?? inherited,
        )
        return parse(spec.output, value, 'UNDECODABLE')
      },
      stream: (name: string, input: unknown, options: AskOptions = {}) => {
        const spec = specOf(contract.messages, contract.kind, name, 'stream')
        return parsed(
          this.#calls.stream(
            call(name, contract.version, parse(spec.input, input), this.#within(options, spec.withinMs)),
            options.signal ?? inherited,
          ),
          spec.item,
        )
      },
      probe: async (options: AskOptions = {}) =>
        (await this.#calls.ask(
          call(PROBE, contract.version, null, this.#within(options, DEFAULT_PROBE_MS)),
          options.signal ?? inherited,
        )) as Presence,
    } as Ref
  }

  #pool(origin: Origin, inherited: AbortSignal | undefined, contract: PoolContract, name: string): PoolRef {
    const { tenant } = origin
    const token = encodeName(name)
    const call = (message: string, input: unknown, withinMs: number): Parameters<Calls['ask']>[0] => {
      checkAncestor(origin.chain, `${contract.kind}/${token}`)
      const envelope = this.#envelope(origin, message, contract.version, input, this.#deadline(origin, withinMs))
      return {
        subject: askSubject(tenant, contract.kind, token),
        signal: signalSubject(tenant, contract.kind, token),
        envelope,
        holder: null,
        unreachableMs: POOL_UNREACHABLE_MS,
      }
    }
    return {
      ask: async (message: string, input: unknown, options: AskOptions = {}) => {
        const spec = specOf(contract.messages, contract.kind, message, 'ask')
        const request = call(message, parse(spec.input, input), this.#within(options, spec.withinMs))
        const signal = options.signal ?? inherited
        const local = this.#local.find(contract.kind)
        const value =
          local === null ? await this.#calls.ask(request, signal) : await local.direct(request.envelope, token, signal)
        return parse(spec.output, value, 'UNDECODABLE')
      },
      stream: (message: string, input: unknown, options: AskOptions = {}) => {
        const spec = specOf(contract.messages, contract.kind, message, 'stream')
        return parsed(
          this.#calls.stream(
            call(message, parse(spec.input, input), this.#within(options, spec.withinMs)),
            options.signal ?? inherited,
          ),
          spec.item,
        )
      },
    } as PoolRef
  }

  async #confirm(
    envelope: Envelope,
    deadline: number,
    send: (envelope: Envelope, messageId: string) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const { transport, clock, newId } = this.#core
    signal?.throwIfAborted()
    return await new Promise((resolve, reject) => {
      const inbox = transport.inbox((message) => {
        let reply: Reply
        try {
          reply = decodeReply(message.data)
        } catch (error) {
          return finish(() => reject(coded(error)))
        }
        if (reply.kind === 'error') finish(() => reject(reply.error))
        else if (reply.kind === 'value') finish(() => resolve(reply.value))
      })
      const timer = clock.setTimeout(
        () => finish(() => reject(new WaggleError('DEADLINE', { command: envelope.id }))),
        Math.max(0, deadline - clock.now()),
      )
      const onAbort = (): void => finish(() => reject(new WaggleError('CANCELLED', { command: envelope.id })))
      let over = false
      const finish = (settle: () => void): void => {
        if (over) return
        over = true
        timer()
        inbox.close()
        signal?.removeEventListener('abort', onAbort)
        settle()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      // Each try is a message of its own, so that the receipt is said to this inbox even if the command was handled long ago.
      send({ ...envelope, receipt: inbox.subject }, `${envelope.id}.${newId()}`).catch((error: unknown) =>
        finish(() => reject(error instanceof Error ? error : new Error(String(error)))),
      )
    })
  }

  #within(options: AskOptions, contractMs: number): number {
    return options.within === undefined ? contractMs : milliseconds(options.within as Duration)
  }

  #deadline(origin: Origin, withinMs: number): number {
    const own = this.#core.clock.now() + withinMs
    return origin.deadline === 0 ? own : Math.min(own, origin.deadline)
  }

  #envelope(origin: Origin, type: string, version: number, payload: unknown, deadline: number, id?: string): Envelope {
    checkHops(origin.chain)
    const { tenant, from, chain, epoch, control, principal, taint, trace } = origin
    return {
      id: id ?? this.#core.newId(),
      type,
      version,
      tenant,
      from,
      chain,
      deadline,
      attempt: 1,
      epoch,
      control,
      principal,
      taint,
      trace,
      at: this.#core.clock.now(),
      receipt: '',
      payload,
    }
  }
}

const DEFAULT_CONFIRM_MS = 5_000
const DEFAULT_PROBE_MS = 1_000
/** A pool that nobody serves is said after this long; a rolling restart is shorter. */
const POOL_UNREACHABLE_MS = 1_500

async function* parsed(items: AsyncIterable<unknown>, schema: Schema<unknown>): AsyncGenerator<unknown> {
  for await (const item of items) yield parse(schema, item, 'UNDECODABLE')
}
