import type { Server as HttpServer } from 'node:http'
import { Server } from 'socket.io'
import { Handshake } from '#shared/contracts/client.ts'
import type { ClientToServer, ServerToClient } from '#shared/contracts/client.ts'
import { coded, publicError } from '#shared/errors/waggle-error.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { Connection } from './connection.ts'
import type { ConnectionParts } from './connection.ts'
import { Rooms } from './rooms.ts'

/** A larger event ends the connection; texts are limited far below it. */
export const MAX_EVENT_BYTES = 256 * 1024
const PING_MS = 20_000
const PING_PATIENCE_MS = 20_000
const CONNECT_MS = 10_000

export interface SocketServerParts extends Omit<ConnectionParts, 'rooms'> {
  readonly authenticator: Authenticator
  readonly corsOrigins: readonly string[]
}

export interface SocketServer {
  readonly connections: () => number
  /** Tells every client to come back elsewhere, then ends the connections. */
  readonly close: () => Promise<void>
}

/** Socket.IO on an HTTP server, WebSocket only: what falls back falls back to SSE, which resumes by the same cursors. */
export function openSockets(http: HttpServer, parts: SocketServerParts): SocketServer {
  const io = new Server<ClientToServer, ServerToClient, object, { principal: Principal }>(http, {
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: MAX_EVENT_BYTES,
    pingInterval: PING_MS,
    pingTimeout: PING_PATIENCE_MS,
    connectTimeout: CONNECT_MS,
    cors: { origin: parts.corsOrigins.includes('*') ? '*' : [...parts.corsOrigins] },
    // A browser of another site could open a socket with the visitor's network position: only known origins may.
    allowRequest: (request, allow) =>
      allow(null, originAllowed(request.headers.origin, request.headers.host, parts.corsOrigins)),
  })
  const rooms = new Rooms(io as never)
  io.use((socket, next) => {
    const shown = Handshake.safeParse(socket.handshake.auth)
    const authenticate = shown.success
      ? parts.authenticator.principal({ token: shown.data.token, apiKey: shown.data.apiKey })
      : Promise.reject(coded(new Error('bad handshake'), 'BAD_INPUT'))
    authenticate.then(
      (principal) => {
        socket.data.principal = principal
        next()
      },
      (error: unknown) => {
        const said = publicError(coded(error))
        next(Object.assign(new Error(said.message), { data: said }))
      },
    )
  })
  io.on('connection', (socket) => void new Connection(socket, socket.data.principal, { ...parts, rooms }))
  return {
    connections: () => io.engine.clientsCount,
    close: async () => {
      io.emit('leaving')
      await new Promise<void>((resolve) => setImmediate(resolve))
      io.disconnectSockets(true)
      await io.close()
    },
  }
}

function originAllowed(origin: string | undefined, host: string | undefined, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true
  try {
    return new URL(origin).host === host
  } catch {
    return false
  }
}
