import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { ActorSystem } from '#shared/actor/system.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { newId } from '#shared/lib/ids.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Presence } from '#gateway/presence/presence.ts'
import { isCongested } from './socket-sink.ts'
import type { ClientSocket } from './socket-sink.ts'

export interface SeatParts {
  readonly presence: Presence
  readonly system: Pick<ActorSystem, 'reach' | 'node'>
  readonly log: Logger
}

/**
 * The conversations that one socket has before it: others are told on the volatile lane, and a supervisor of its staff, so
 * that a conversation whose owner goes away is handed back. Both may be lost; what makes up for it is a timer elsewhere.
 */
export class Seats {
  readonly #socket: ClientSocket
  readonly #principal: Principal
  readonly #parts: SeatParts
  /** Not the library's id: names are said to others. */
  readonly #name = newId()
  readonly #staff = new Map<string, boolean>()

  constructor(socket: ClientSocket, principal: Principal, parts: SeatParts) {
    this.#socket = socket
    this.#principal = principal
    this.#parts = parts
  }

  /** @param staff sees what customers do not */
  enter(conversationId: string, staff: boolean): void {
    const { tenant, user } = this.#principal
    this.#staff.set(conversationId, staff)
    this.#parts.presence.enter(tenant, conversationId, {
      name: this.#name,
      user,
      staff,
      typing: (signal) => {
        if (!isCongested(this.#socket)) this.#socket.emit('typing', signal)
      },
      presence: (signal) => {
        if (!isCongested(this.#socket)) this.#socket.emit('presence', signal)
      },
    })
    if (staff) this.#tell(conversationId, true)
  }

  leave(conversationId: string): void {
    const staff = this.#staff.get(conversationId)
    if (staff === undefined) return
    this.#staff.delete(conversationId)
    this.#parts.presence.leave(this.#principal.tenant, conversationId, this.#name)
    if (staff) this.#tell(conversationId, false)
  }

  leaveAll(): void {
    for (const conversationId of this.#staff.keys()) this.leave(conversationId)
  }

  typing(conversationId: string, on: boolean, where: 'reply' | 'note'): void {
    if (this.#staff.has(conversationId))
      this.#parts.presence.typing(this.#principal.tenant, conversationId, this.#name, on, where)
  }

  #tell(conversationId: string, here: boolean): void {
    const { system } = this.#parts
    system
      .reach(this.#principal)
      .ref(Supervisor, conversationId)
      .tell('seat', { seat: this.#name, here, node: system.node })
      .catch((error: unknown) => {
        this.#parts.log.debug({ conversation: conversationId, code: coded(error).code }, 'A seat could not be told of.')
      })
  }
}
