import type { Server, Socket } from 'socket.io'
import type { ClientToServer, ServerToClient } from '#shared/contracts/client.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Entry } from '#gateway/log/entry.ts'
import type { Room, Sink } from '#gateway/log/sink.ts'

export type ClientServer = Server<ClientToServer, ServerToClient, object, object>
export type ClientSocket = Socket<ClientToServer, ServerToClient, object, object>

/** Bytes written to a socket that have not gone out; beyond it the reader is put aside and catches up from the log. */
export const SOCKET_BUDGET_BYTES = 1024 * 1024
/** Packets in front of it; small ones cost memory too. */
export const SOCKET_BUDGET_PACKETS = 2_048

/**
 * What a reader of the log writes to a socket.
 *
 * @param room of readers that get the very same, so that it is encoded once for all; null for one by itself
 * @param gone what becomes of the socket when the reader has failed
 */
export function socketSink<E extends Entry>(
  socket: ClientSocket,
  event: 'log' | 'swarm',
  room: Room<E> | null,
  gone: (error: WaggleError) => void,
): Sink<E> {
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
    failed: gone,
    ...(room === null ? {} : { room }),
  }
}

/**
 * Readers of one conversation with the same audiences share a Socket.IO room while they are in step. The name holds what
 * decides the content, so no two contents share a name.
 */
export function conversationRoom<E extends Entry>(
  io: ClientServer,
  socket: ClientSocket,
  tenant: string,
  conversationId: string,
  audiences: readonly string[],
): Room<E> {
  const name = `${tenant}/${conversationId}/${audiences.join('+')}`
  return {
    name,
    send: (batch) => {
      io.to(name).emit(
        'log',
        batch.map((entry) => entry.wire),
      )
    },
    enter: () => void socket.join(name),
    leave: () => void socket.leave(name),
  }
}

/** Neither is in the types of the library: what it holds back, and what the WebSocket below it does. */
interface Outgoing {
  readonly writeBuffer: readonly { readonly data?: unknown }[]
  readonly transport: { readonly socket?: { readonly bufferedAmount?: number } }
}

/** More was written to it than goes out. */
export function isCongested(socket: ClientSocket): boolean {
  const { writeBuffer, transport } = socket.conn as unknown as Outgoing
  let bytes = transport.socket?.bufferedAmount ?? 0
  if (bytes > SOCKET_BUDGET_BYTES || writeBuffer.length > SOCKET_BUDGET_PACKETS) return true
  for (const { data } of writeBuffer) if (typeof data === 'string') bytes += data.length
  return bytes > SOCKET_BUDGET_BYTES
}
