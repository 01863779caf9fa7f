/** The other process of ask-p50 and ask-rate: a pool of one replica, and beside it a raw subscriber that answers the same. */
import { connect } from 'nats'
import { z } from 'zod'

import { ask, pool } from '#shared/actor/contract.ts'
import { poolActor } from '#shared/actor/definition.ts'

import { benchNode } from '../node.ts'
import { servePeer } from '../peer.ts'

export const Echo = pool('echo', {
  echo: ask(z.object({ text: z.string().max(1_000) }), z.object({ text: z.string().max(1_000) }), { within: '5s' }),
})
export const RAW_SUBJECT = 'bench.echo'

if (import.meta.main) {
  servePeer<{ readonly url: string }>(async ({ url }) => {
    const node = await benchNode(url, 'bench-echo')
    node.system.host(poolActor(Echo, { on: { echo: (_ctx, { text }) => ({ text }) } }))
    await node.system.start()
    const raw = await connect({ servers: url })
    raw.subscribe(RAW_SUBJECT, { callback: (_error, message) => void message.respond(message.data) })
    await raw.flush()
    await node.transport.flush()
    return {
      on: {},
      stop: async () => {
        await node.stop()
        await raw.close()
      },
    }
  })
}
