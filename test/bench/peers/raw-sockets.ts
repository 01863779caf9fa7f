/** Socket.IO alone, for live-hop: emits to each of its sockets what a gateway would, at the same rate. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import type { Socket } from 'socket.io'

import type { LogEntry } from '#shared/contracts/client.ts'
import { newId } from '#shared/lib/ids.ts'

import { machineMs, pace } from '../pace.ts'
import { servePeer } from '../peer.ts'

export type RawSocketsPeer = {
  readonly url: (input: null) => string
  readonly emit: (order: { readonly perSecond: number; readonly count: number }) => Promise<void>
}

if (import.meta.main) {
  servePeer<object>(async () => {
    const http = createServer()
    const io = new Server(http, { transports: ['websocket'], serveClient: false })
    const sockets: Socket[] = []
    io.on('connection', (socket) => void sockets.push(socket))
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
      },
      stop: async () => {
        await io.close()
      },
    }
  })
}

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
