import type { Server as HttpServer } from 'node:http'
import { Server } from 'socket.io'
import { parse } from '#shared/actor/schema.ts'
import { Handshake } from '#shared/contracts/client.ts'
import { coded, publicError, refuse } from '#shared/errors/waggle-error.ts'
import type { Session } from '#gateway/auth/authenticator.ts'
import { clientAddress } from '#gateway/auth/doorman.ts'
import type { Doorman } from '#gateway/auth/doorman.ts'
import { Connection } from './connection.ts'
import type { ConnectionParts } from './connection.ts'
import type { ClientServer, ClientSocket } from './socket-sink.ts'

/** A larger event ends the connection: 16,000 characters of text, each as six bytes of JSON at worst, and some room. */
export const MAX_EVENT_BYTES = 128 * 1024
/** Sockets of one principal on one gateway. */
export const MAX_SOCKETS_OF_PRINCIPAL = 500
/** Sockets of one gateway; more gateways serve more. */
export const MAX_SOCKETS = 20_000
/** How soon a socket whose token has expired, or whose key was revoked, is sent away. */
export const SESSION_CHECK_MS = 10_000
const PING_MS = 20_000
const PING_PATIENCE_MS = 20_000
const CONNECT_MS = 10_000
/** How long the goodbye has to go out before the connections are cut. */
const GOODBYE_MS = 250
/** A leaving gateway sends its clients away in this many steps at most, so that they do not reach the others as a herd. */
const GOODBYE_STEPS = 40
const GOODBYE_STEP_MS = 50
/** Fewer than these need no step of their own. */
const GOODBYE_LEAST = 10

export interface SocketServerParts extends Omit<ConnectionParts, 'io'> {
  readonly doorman: Doorman
  readonly corsOrigins: readonly string[]
  readonly trustProxy: number
}

export interface SocketServer {
  /** Tells every client to come back elsewhere, then ends the connections. The HTTP server stays open. */
  readonly close: () => Promise<void>
}

/** Socket.IO on an HTTP server, WebSocket only: what falls back falls back to SSE, which resumes by the same cursors. */
export function openSockets(http: HttpServer, parts: SocketServerParts): SocketServer {
  const { doorman, metrics, clock, log } = parts
  const io: ClientServer = new Server(http, {
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: MAX_EVENT_BYTES,
    pingInterval: PING_MS,
    pingTimeout: PING_PATIENCE_MS,
    connectTimeout: CONNECT_MS,
    allowRequest: (request, allow) =>
      allow(null, isOriginAllowed(request.headers.origin, request.headers.host, parts.corsOrigins)),
  })
  let closed = false
  const connections = new Map<string, Connection>()
  const sessions = new WeakMap<object, Session>()
  /** Sockets by principal. */
  const owned = new Map<string, number>()
  metrics.measure('waggle_sockets', {}, () => connections.size)

  const all = { ...parts, io }
  const admit = async (socket: ClientSocket): Promise<void> => {
    const { auth, headers, address } = socket.handshake
    const shown = parse(Handshake, auth)
    const forwarded = headers['x-forwarded-for']
    const from = clientAddress(address, Array.isArray(forwarded) ? forwarded.join(',') : forwarded, parts.trustProxy)
    if (closed) throw refuse('OVERLOADED', { reason: 'This gateway is leaving.' })
    if (connections.size >= MAX_SOCKETS) throw refuse('OVERLOADED')
    const session = await doorman.admit(from, shown)
    const own = owned.get(ownerOf(session)) ?? 0
    if (own >= MAX_SOCKETS_OF_PRINCIPAL) throw refuse('RATE_LIMITED', { sockets: own, limit: MAX_SOCKETS_OF_PRINCIPAL })
    sessions.set(socket, session)
  }
  const letIn = async (socket: ClientSocket, next: (error?: Error) => void): Promise<void> => {
    const problem = await admit(socket).then(() => undefined, coded)
    if (problem === undefined) return next()
    const said = publicError(problem)
    next(Object.assign(new Error(said.message), { data: said }))
  }
  io.use((socket, next) => void letIn(socket, next))
  io.on('connection', (socket) => {
    const session = sessions.get(socket)!
    const owner = ownerOf(session)
    connections.set(socket.id, new Connection(socket, session, all))
    forgetHandshake(socket)
    owned.set(owner, (owned.get(owner) ?? 0) + 1)
    socket.once('disconnect', () => {
      connections.delete(socket.id)
      const left = owned.get(owner)! - 1
      if (left > 0) owned.set(owner, left)
      else owned.delete(owner)
    })
  })

  const checkSessions = async (): Promise<void> => {
    for (const connection of connections.values()) {
      try {
        if (!(await connection.session.holds())) connection.dismiss('session over')
      } catch (error) {
        // Nobody can tell now: the connection stays until somebody can.
        log.debug({ code: coded(error).code }, 'A session could not be checked.')
      }
    }
  }
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimeout(resolve, ms))
  const sayGoodbye = async (): Promise<void> => {
    const ids = [...connections.keys()]
    const each = Math.max(GOODBYE_LEAST, Math.ceil(ids.length / GOODBYE_STEPS))
    for (let from = 0; from < ids.length; from += each) {
      if (from > 0) await pause(GOODBYE_STEP_MS)
      io.to(ids.slice(from, from + each)).emit('leaving')
    }
    if (ids.length > 0) await pause(GOODBYE_MS)
  }
  const again = (): (() => void) =>
    clock.setTimeout(() => {
      void checkSessions().finally(() => {
        if (!closed) stop = again()
      })
    }, SESSION_CHECK_MS)
  let stop = again()

  return {
    close: async () => {
      closed = true
      stop()
      await sayGoodbye()
      for (const connection of connections.values()) connection.dismiss('leaving')
      io.engine.close()
    },
  }
}

/**
 * The library keeps the request that every socket came with, headers and credentials, for as long as it lives. Nothing here
 * reads them again; without them an idle socket is smaller, and no token lies in memory for hours.
 */
function forgetHandshake(socket: ClientSocket): void {
  const held = socket as unknown as { handshake: unknown; conn: { request: unknown } }
  held.handshake = null
  held.conn.request = null
}

function ownerOf({ principal }: Session): string {
  return `${principal.tenant} ${principal.user}`
}

/**
 * A page of another site could use its visitor's place in the network; credentials it has none of. So: the page's own
 * origin, and those that are configured. No origin at all is no browser.
 */
function isOriginAllowed(origin: string | undefined, host: string | undefined, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true
  try {
    return new URL(origin).host === host
  } catch {
    return false
  }
}
