/** Socket.IO by itself, set up as the gateway sets it up: emits to each socket, or broadcasts to a room. The baseline of the socket figures. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Server } from 'socket.io'
import type { Socket } from 'socket.io'

import type { LogEntry } from '#shared/contracts/client.ts'
import { newId } from '#shared/lib/ids.ts'

import { machineMs, pace } from '../pace.ts'
import { servePeer } from '../peer.ts'
import { residentBytes } from '../resident.ts'

export interface Broadcast {
  readonly count: number
  /** One entry of the log as clients get it. */
  readonly entry: object
}

export type RawSocketsPeer = {
  readonly url: (input: null) => string
  /** To one socket after the other, at this pace. */
  readonly emit: (order: { readonly perSecond: number; readonly count: number }) => Promise<void>
  /** Resolves when all were written; whoever counts them knows when they arrived. */
  readonly broadcast: (input: Broadcast) => Promise<void>
  readonly resident: (input: null) => Promise<number>
}

if (import.meta.main) {
  servePeer<object>(async () => {
    const http = createServer()
    const io = new Server(http, { transports: ['websocket'], serveClient: false })
    const sockets: Socket[] = []
    io.on('connection', (socket) => {
      sockets.push(socket)
      socket.on('conversation:open', (request: { conversationId: string }, ack: (answer: object) => void) => {
        void socket.join(request.conversationId)
        ack({ ok: true })
      })
    })
    await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
    return {
      on: {
        url: () => `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
        emit: async ({ perSecond, count }) => {
          await pace(perSecond, count, (index) => {
            const socket = sockets[index % sockets.length]!
            socket.emit('log', [entry(socket.id, index)])
          })
        },
        broadcast: async ({ count, entry }: Broadcast) => {
          for (let index = 0; index < count; index++) {
            io.to(ROOM).emit('log', [{ ...entry, cursor: `raw.${index}` }])
            await new Promise((resolve) => setImmediate(resolve))
          }
        },
        resident: () => residentBytes(),
      },
      stop: async () => {
        await io.close()
      },
    }
  })
}

/** The one conversation of the figures. */
export const ROOM = 'room'

function entry(conversationId: string, index: number): LogEntry {
  return {
    cursor: `${newId()}.${index}`,
    conversationId,
    audience: 'pub',
    id: newId(),
    type: 'run:progress',
    by: 'agent/nobody--support',
    at: Date.now(),
    payload: { turnId: 'turn', runId: 'run', step: 'act', label: String(machineMs()) },
  }
}
