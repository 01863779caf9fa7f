import type { Socket } from 'socket.io'
import type { ClientToServer, ServerToClient } from '#shared/contracts/client.ts'
import type { Entry } from '../log/entry.ts'
import type { Room, Sink } from '../log/sink.ts'

export type ClientSocket = Socket<ClientToServer, ServerToClient>

/** Bytes written to a socket and not gone out; beyond it the reader is put aside and catches up later. */
export const SOCKET_BUDGET_BYTES = 1024 * 1024
/** Packets waiting in front of it; small ones cost memory too. */
export const SOCKET_BUDGET_PACKETS = 2_048

export function socketSink<E extends Entry>(socket: ClientSocket, event: 'log' | 'swarm', room: Room<E>): Sink<E> {
  return {
    entries: (batch) => {
      socket.emit(
        event,
        batch.map((entry) => entry.wire),
      )
    },
    snapshot: (snapshot) => {
      socket.emit('snapshot', snapshot)
    },
    congested: () => isCongested(socket),
    failed: () => {
      // The client comes back with its cursor, here or elsewhere.
      socket.emit('leaving')
      socket.disconnect(true)
    },
    room,
  }
}

function isCongested(socket: ClientSocket): boolean {
  // Neither is in the types of the library: what it holds back, and what the WebSocket below it does.
  const conn = socket.conn as unknown as { writeBuffer: unknown[]; transport: { socket?: { bufferedAmount?: number } } }
  return (
    conn.writeBuffer.length > SOCKET_BUDGET_PACKETS ||
    (conn.transport.socket?.bufferedAmount ?? 0) > SOCKET_BUDGET_BYTES
  )
}
