import type { EventPayload } from '#shared/contracts/event-map.ts'
import type { Subscription, Transport } from '#shared/transport/port.ts'
import { ACTOR_CHANGED, decodeEvent } from '#shared/wire/event.ts'
import { filters } from '#shared/wire/subjects.ts'

type Changed = EventPayload<'actor:changed'>

/** Which runs of a tenant are at work, and on which node, as the live log tells it; and whoever waits for one to go on. */
export class RunsUnderWay {
  readonly #at = new Map<string, { readonly node: string; readonly since: number }>()
  readonly #waiting = new Set<{ run: string; from: string; moved: (elsewhere: boolean) => void }>()
  readonly #subscription: Subscription

  constructor(transport: Transport, tenant: string) {
    this.#subscription = transport.subscribe(filters.liveOfTenant(tenant), ({ data }) => {
      const { type, payload } = decodeEvent(data)
      if (type === ACTOR_CHANGED) this.#note(payload as Changed)
    })
  }

  /** Runs that were begun on this node and have not ended. */
  on(node: string): string[] {
    return [...this.#at].filter(([, at]) => at.node.startsWith(`${node}-`)).map(([run]) => run)
  }

  /** True when it is at work on another node, false when it ended where it was; null when neither was heard in time. */
  async goesOn(run: string, withinMs: number): Promise<boolean | null> {
    const heard = Promise.withResolvers<boolean | null>()
    const waiting = { run, from: this.#at.get(run)?.node ?? '', moved: heard.resolve }
    const late = setTimeout(() => heard.resolve(null), withinMs)
    this.#waiting.add(waiting)
    try {
      return await heard.promise
    } finally {
      clearTimeout(late)
      this.#waiting.delete(waiting)
    }
  }

  close(): void {
    this.#subscription.unsubscribe()
  }

  #note({ kind, key, state, node }: Changed): void {
    const run = `${kind}/${key}`
    if (kind !== 'run') return
    if (state === 'running') this.#at.set(run, { node, since: performance.now() })
    else if (state === 'ended') this.#at.delete(run)
    for (const waiting of this.#waiting) {
      if (waiting.run !== run) continue
      if (state === 'ended') waiting.moved(node !== waiting.from)
      else if (state === 'running' && node !== waiting.from) waiting.moved(true)
    }
  }
}
