/** The clients of live-hop: each has a conversation of its own open and notes when what was said in it reaches its callback. */
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'

import type { ClientToServer, ServerToClient } from '#shared/contracts/client.ts'
import { Deferred } from '#shared/lib/deferred.ts'

import { quantile } from '../interleave.ts'
import { machineMs } from '../pace.ts'
import { servePeer } from '../peer.ts'

export type ListenersPeer = {
  /** New conversations at a gateway; their ids. */
  readonly open: (order: { readonly url: string; readonly token: string; readonly count: number }) => Promise<string[]>
  /** As many clients of a server that speaks unasked. */
  readonly connect: (order: { readonly url: string; readonly count: number }) => Promise<void>
  /** From now on. */
  readonly expect: (count: number) => void
  /** Settles when so many have come. */
  readonly heard: (input: null) => Promise<{ readonly p50: number; readonly p99: number; readonly most: number }>
}

type Client = Socket<ServerToClient, ClientToServer>

if (import.meta.main) {
  servePeer<object>(async () => {
    const clients: Client[] = []
    let times: number[] = []
    let expected = 0
    let all = new Deferred<void>()
    const connect = async (url: string, auth: object): Promise<Client> => {
      const client: Client = io(url, { transports: ['websocket'], auth, forceNew: true, reconnection: false })
      clients.push(client)
      client.on('log', (entries) => {
        const now = machineMs()
        for (const { type, payload } of entries) {
          if (type !== 'run:progress') continue
          times.push(now - Number((payload as { label: string }).label))
          if (times.length === expected) all.resolve()
        }
      })
      await new Promise<void>((resolve, reject) => {
        client.once('connect', resolve)
        client.once('connect_error', reject)
      })
      return client
    }
    return {
      on: {
        open: async ({ url, token, count }) => {
          const ids: string[] = []
          for (let opened = 0; opened < count; opened++) {
            const client = await connect(url, { token })
            const answer = await client.emitWithAck('conversation:open', {})
            if (!answer.ok) throw new Error(`not opened: ${answer.error.code}`)
            ids.push(answer.conversationId)
          }
          return ids
        },
        connect: async ({ url, count }) => {
          for (let connected = 0; connected < count; connected++) await connect(url, {})
        },
        expect: (count: number) => {
          times = []
          expected = count
          all = new Deferred()
        },
        heard: async () => {
          await all.promise
          return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), most: Math.max(...times) }
        },
      } satisfies ListenersPeer,
      stop: async () => {
        for (const client of clients) client.disconnect()
      },
    }
  })
}
