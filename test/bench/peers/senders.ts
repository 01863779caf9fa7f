/** One tenant that gives the actors of peers/errands.ts something to do, in a process of its own. */
import { coded } from '#shared/errors/waggle-error.ts'

import { quantile } from '../interleave.ts'
import { benchNode, principalOf } from '../node.ts'
import { pace } from '../pace.ts'
import { servePeer } from '../peer.ts'
import { Errand } from './errands.ts'

export interface SendersConfig {
  readonly natsUrl: string
  readonly tenant: string
}

export interface Confirmed {
  readonly p50: number
  readonly p99: number
}

export type SendersPeer = {
  /** An open loop of commands, each confirmed after its transaction; milliseconds until then. Nothing may be refused. */
  readonly confirm: (order: { readonly perSecond: number; readonly count: number }) => Promise<Confirmed>
  /** As many as are handled, `waiting` of them on their way all the time: commands a second. */
  readonly saturate: (order: { readonly waiting: number; readonly count: number }) => Promise<number>
  /** An open loop until `calm`, of what may be refused. */
  readonly offer: (order: { readonly perSecond: number }) => void
  readonly calm: (input: null) => Promise<{ readonly accepted: number; readonly refused: number }>
}

const KEYS = 64
const TEXT = 'x'.repeat(256)
const WITHIN = '60s'

if (import.meta.main) {
  servePeer<SendersConfig>(async ({ natsUrl, tenant }) => {
    const node = await benchNode(natsUrl, `bench-${tenant}`)
    const reach = node.system.reach(principalOf(tenant))
    const refs = Array.from({ length: KEYS }, (_, key) => reach.ref(Errand, `k${key}`))
    const refOf = (index: number): (typeof refs)[number] => refs[index % KEYS]!
    let offering: { stop: boolean; done: Promise<{ accepted: number; refused: number }> } | null = null
    return {
      on: {
        confirm: async ({ perSecond, count }) => {
          const times: number[] = []
          const all: Promise<void>[] = []
          await pace(perSecond, count, (index) => {
            const started = performance.now()
            const done = refOf(index).confirm('run', { text: TEXT }, { within: WITHIN })
            all.push(done.then(() => void times.push(performance.now() - started)))
          })
          await Promise.all(all)
          return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
        },
        saturate: async ({ waiting, count }) => {
          let begun = 0
          const started = performance.now()
          const worker = async (): Promise<void> => {
            while (begun < count) await refOf(begun++).confirm('run', { text: TEXT }, { within: WITHIN })
          }
          await Promise.all(Array.from({ length: waiting }, worker))
          return (count * 1_000) / (performance.now() - started)
        },
        offer: ({ perSecond }) => {
          const told = { accepted: 0, refused: 0 }
          const state = { stop: false, done: Promise.resolve(told) }
          const under: Set<Promise<void>> = new Set()
          const one = async (index: number): Promise<void> => {
            try {
              await refOf(index).tell('run', { text: TEXT })
              told.accepted++
            } catch (error) {
              const { code } = coded(error)
              if (code !== 'TENANT_BUSY' && code !== 'MAILBOX_FULL') throw error
              told.refused++
            }
          }
          const send = (index: number): void => {
            const work = one(index).finally(() => under.delete(work))
            under.add(work)
          }
          const loop = pace(perSecond, Number.POSITIVE_INFINITY, send, () => state.stop)
          state.done = loop.then(() => Promise.all(under)).then(() => told)
          offering = state
        },
        calm: async () => {
          if (offering === null) throw new Error('nothing is offered')
          offering.stop = true
          return await offering.done
        },
      } satisfies SendersPeer,
      stop: () => node.stop(),
    }
  })
}
