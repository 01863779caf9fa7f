import type { RunContext } from '#shared/actor/definition.ts'
import { Agent } from '#shared/contracts/agent.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import type { HeededWord, PendingWord } from '#shared/graph/steering.ts'
import { guard } from './guard.ts'
import type { RunSayings } from './guard.ts'

/**
 * What people say to one attempt of a run while it works. The agent keeps it (durable); the run asks for it at its
 * boundaries, and only when it was nudged. A word is heard in three steps, so that it is heard once whatever crashes:
 *
 * 1. `pending` brings it, guarded, and the graph puts it into its state under its id;
 * 2. `heeded` waits until that state is durable, tells the agent, which says so in the log and forgets the word;
 * 3. the model is asked.
 *
 * A crash after 1 loses the state and the word is pending still; a crash after 2 finds the word in the checkpoint.
 */
export class Steering {
  readonly #ctx: RunContext
  readonly #sayings: RunSayings
  readonly #agent: readonly string[]
  readonly #durable: () => Promise<void>
  readonly #refused = new Map<string, string>()
  readonly #recorded = new Set<string>()
  #nudges = 0
  /** A run that was resumed does not know what it was nudged for. */
  #unsure: boolean
  #lastHeard: string | null = null

  constructor(ctx: RunContext, sayings: RunSayings, conversationId: string, durable: () => Promise<void>) {
    this.#ctx = ctx
    this.#sayings = sayings
    this.#agent = [conversationId, sayings.agent]
    this.#durable = durable
    this.#unsure = ctx.resumed
  }

  /** The customer's newest message that the model heard beside the one it answers; null when there is none. */
  get lastHeard(): string | null {
    return this.#lastHeard
  }

  readonly pending = async (heeded: readonly string[]): Promise<readonly PendingWord[]> => {
    const ctx = this.#ctx
    const { nudges } = ctx
    if (!this.#unsure && nudges === this.#nudges) return []
    const words: PendingWord[] = []
    try {
      const items = await this.#ask([])
      for (const { id, kind, text, taint } of items) {
        if (heeded.includes(id) || this.#refused.has(id)) continue
        // The same guard as in front of the message that began the turn (I10); colleagues are not guarded against.
        const checked = kind === 'steer' ? await guard(ctx, this.#sayings, 'input', text) : null
        if (checked?.verdict === 'block') this.#refused.set(id, checked.reason)
        else {
          for (const source of taint) ctx.taint(source)
          words.push({ id, kind, text: checked?.verdict === 'rewrite' ? checked.text : text })
        }
      }
    } catch (error) {
      ctx.signal.throwIfAborted()
      // They stay pending: the next boundary asks again, and what is never heard is said to be.
      this.#unsure = true
      ctx.log.warn({ run: ctx.address, code: coded(error).code }, 'a run could not ask for what was said to it')
      return []
    }
    this.#nudges = nudges
    this.#unsure = false
    if (this.#refused.size > 0) await this.#ask([])
    return words
  }

  readonly heeded = async (words: readonly HeededWord[]): Promise<void> => {
    const fresh = words.filter(({ id }) => !this.#recorded.has(id))
    if (fresh.length === 0) return
    await this.#durable()
    await this.#ask(fresh.map(({ id, step }) => ({ id, step })))
    for (const { id, kind, text } of fresh) {
      this.#recorded.add(id)
      if (kind !== 'steer') continue
      this.#sayings.said.push(text)
      this.#lastHeard = id
    }
  }

  async #ask(
    heeded: readonly { id: string; step: number }[],
  ): Promise<readonly (PendingWord & { readonly taint: readonly string[] })[]> {
    const refused = [...this.#refused].map(([id, reason]) => ({ id, reason }))
    const { items } = await this.#ctx.reach
      .ref(Agent, this.#agent)
      .ask('pending', { runId: this.#sayings.runId, heeded: [...heeded], refused })
    return items
  }
}
