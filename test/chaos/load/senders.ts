import { Supervisor } from '#shared/contracts/supervisor.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { pause } from '../pause.ts'
import { TOOLS } from '../world/effects.ts'
import { principalOf } from '../world/world.ts'
import type { World } from '../world/world.ts'

export interface SenderOptions {
  readonly conversations: number
  readonly prefix?: string
  /** Between an acceptance and the next message. */
  readonly gapMs?: readonly [least: number, most: number]
}

const WITHIN = '2s'
const AGAIN_MS = [100, 300] as const
const GAP_MS = [200, 700] as const
/** What one waits out: any other code is a problem. */
const PASSING: ReadonlySet<string> = new Set([
  'DEADLINE',
  'BROKER_DOWN',
  'UNREACHABLE',
  'OVERLOADED',
  'BUSY',
  'MAILBOX_FULL',
  'TENANT_BUSY',
  'DATABASE_DOWN',
  'LEAVING',
])

/** Conversations that speak to the runtime directly: the next message when the one before is accepted, the same id until it is. */
export class Senders {
  /** Message ids by conversation, in the order of acceptance. */
  readonly accepted = new Map<string, string[]>()
  /** What was heard instead of an acceptance, by code. */
  readonly heard = new Map<string, number>()
  readonly problems: string[] = []
  readonly #world: World
  readonly #options: SenderOptions
  readonly #done: Promise<unknown>
  #sending = true

  constructor(world: World, options: SenderOptions) {
    this.#world = world
    this.#options = options
    const prefix = options.prefix ?? 'c'
    this.#done = Promise.all(
      Array.from({ length: options.conversations }, (_, index) => this.#converse(`${prefix}${index}`)),
    )
  }

  get count(): number {
    return Array.from(this.accepted.values()).reduce((sum, { length }) => sum + length, 0)
  }

  /** Each sends on until its last message is accepted. */
  async stop(): Promise<void> {
    this.#sending = false
    await this.#done
  }

  async #converse(conversation: string): Promise<void> {
    const { random } = this.#world.run
    const ref = this.#world.outside.reach(principalOf('ada')).ref(Supervisor, conversation)
    const accepted: string[] = []
    this.accepted.set(conversation, accepted)
    const [least, most] = this.#options.gapMs ?? GAP_MS
    await pause(0, most, random)
    for (let number = 0; ; number++) {
      if (!this.#sending) return
      const tool = TOOLS[Math.floor(random() * TOOLS.length)]!
      const send = {
        clientId: `m${number}`,
        text: `${conversation}-${number}: use ${tool}`,
        agent: null,
        channel: 'chaos',
      }
      for (;;) {
        try {
          const receipt = await ref.confirm('send', send, { id: `${conversation}-m${number}`, within: WITHIN })
          accepted.push((receipt as { messageId: string }).messageId)
          break
        } catch (error) {
          const { code } = coded(error)
          this.heard.set(code, (this.heard.get(code) ?? 0) + 1)
          if (!PASSING.has(code)) {
            this.problems.push(`${conversation}: m${number} heard ${code}: ${coded(error).message}`)
            return
          }
          await pause(...AGAIN_MS, random)
        }
      }
      await pause(least, most, random)
    }
  }
}
