/** What ask-p50 and ask-rate share: a caller here, a pool and a raw subscriber in another process. */
import { connect } from 'nats'

import { startNats } from '#test/kit/nats-server.ts'

import { benchNode, principalOf } from './node.ts'
import { startPeer } from './peer.ts'
import { Echo, RAW_SUBJECT } from './peers/echo.ts'

const PAYLOAD_BYTES = 256
const TIMEOUT_MS = 5_000

export interface AskBench {
  readonly ours: () => Promise<void>
  readonly raw: () => Promise<void>
  stop(): Promise<void>
}

export async function askBench(): Promise<AskBench> {
  const nats = await startNats()
  const peer = await startPeer('echo', { url: nats.url })
  const node = await benchNode(nats.url, 'bench-caller')
  const connection = await connect({ servers: nats.url })
  const text = 'x'.repeat(PAYLOAD_BYTES)
  const bytes = new TextEncoder().encode(text)
  const echo = node.system.reach(principalOf('acme')).pool(Echo, 'main')
  const { signal } = new AbortController()
  return {
    ours: async () => {
      const answer = await echo.ask('echo', { text }, { signal })
      if (answer.text.length !== PAYLOAD_BYTES) throw new Error('a wrong answer')
    },
    raw: async () => {
      const answer = await connection.request(RAW_SUBJECT, bytes, { timeout: TIMEOUT_MS })
      if (answer.data.byteLength !== PAYLOAD_BYTES) throw new Error('a wrong answer')
    },
    stop: async () => {
      await node.stop()
      await connection.close()
      await peer.stop()
      await nats.stop()
    },
  }
}
