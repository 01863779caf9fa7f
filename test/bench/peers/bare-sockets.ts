/** Many clients in one process, as thin as can be: they join one conversation and count what they are sent. */
import { BareSocket } from '../bare-socket.ts'
import { servePeer } from '../peer.ts'

export interface JoinOrder {
  readonly url: string
  readonly tokens: readonly string[]
  readonly count: number
  /** None: only connect. */
  readonly conversationId: string | null
}

export type BareSocketsPeer = {
  readonly join: (input: JoinOrder) => Promise<void>
  /** Resolves when every socket has this many entries, counted from its beginning. */
  readonly until: (entries: number) => Promise<void>
  readonly leave: (input: null) => void
}

/** Connections that are made at once. */
const AT_ONCE = 25

if (import.meta.main) {
  servePeer<object>(async () => {
    const sockets: BareSocket[] = []
    return {
      on: {
        join: async ({ url, tokens, count, conversationId }: JoinOrder) => {
          for (let made = 0; made < count; made += AT_ONCE) {
            await Promise.all(
              Array.from({ length: Math.min(AT_ONCE, count - made) }, async (_, index) => {
                const socket = await BareSocket.open(url, { token: tokens[(made + index) % tokens.length] })
                sockets.push(socket)
                if (conversationId === null) return
                const answer = (await socket.request('conversation:open', { conversationId })) as { ok: boolean }
                if (!answer.ok) throw new Error(JSON.stringify(answer))
              }),
            )
          }
        },
        until: (entries: number) =>
          new Promise<void>((resolve) => {
            let waiting = sockets.filter((socket) => socket.entries < entries).length
            if (waiting === 0) return resolve()
            for (const socket of sockets) {
              if (socket.entries >= entries) continue
              socket.onEntries = () => {
                if (socket.entries < entries) return
                socket.onEntries = () => {}
                if (--waiting === 0) resolve()
              }
            }
          }),
        leave: () => {
          for (const socket of sockets.splice(0)) socket.close()
        },
      },
      stop: async () => {
        for (const socket of sockets) socket.close()
      },
    }
  })
}
