import type { Server } from 'socket.io'
import type { Entry } from '../log/entry.ts'
import type { Room, Sink } from '../log/sink.ts'
import type { View } from '../log/view.ts'

/** Joins and leaves the Socket.IO room of one connection. */
export interface Member {
  join(room: string): void
  leave(room: string): void
}

/**
 * Readers of one conversation and one audience that are in step share a Socket.IO room: what they get is encoded once for
 * all of them. One room object for each name, for as long as somebody is in it.
 */
export class Rooms {
  readonly #io: Server
  readonly #rooms = new Map<string, { readonly room: Room<never>; members: number }>()
  readonly #members = new WeakMap<object, Member>()

  constructor(io: Server) {
    this.#io = io
  }

  /** @param event the socket event that carries entries of this room */
  of<E extends Entry>(view: View<E>, scope: string, event: 'log' | 'swarm'): Room<E> {
    const name = `${event}/${view.tenant}/${scope}/${view.audiences.join('+')}`
    let known = this.#rooms.get(name)
    if (known === undefined) {
      const made = { room: this.#make(name, event), members: 0 }
      known = made
      this.#rooms.set(name, made)
    }
    // A room carries what its view picks: the name holds the audiences, so the type of its entries goes with it.
    return known.room as unknown as Room<E>
  }

  register<E extends Entry>(sink: Sink<E>, member: Member): void {
    this.#members.set(sink, member)
  }

  get size(): number {
    return this.#rooms.size
  }

  #make(name: string, event: 'log' | 'swarm'): Room<never> {
    return {
      send: (batch) =>
        void this.#io.to(name).emit(
          event,
          batch.map((entry: Entry) => entry.wire),
        ),
      enter: (sink) => {
        const known = this.#rooms.get(name)
        if (known !== undefined) known.members++
        this.#members.get(sink)?.join(name)
      },
      leave: (sink) => {
        this.#members.get(sink)?.leave(name)
        const known = this.#rooms.get(name)
        if (known !== undefined && --known.members <= 0) this.#rooms.delete(name)
      },
    }
  }
}
