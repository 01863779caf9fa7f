/** One conversation of the figure takeover-fence: a customer with a socket on each of two gateways, and an operator. */
import type { Client, OpenGateway } from '#test/kit/open-gateway.ts'
import { request } from '#test/kit/open-gateway.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { newId } from '#shared/lib/ids.ts'

const PATIENCE_MS = 30_000

/**
 * Counts what of agents came too late to somebody who reads entries in their order: anything while a person has the voice,
 * and afterwards anything of a message that an agent had begun before.
 */
export class LateText {
  #person = false
  readonly #speaking = new Set<string>()
  readonly #silenced = new Set<string>()
  late = 0
  heard = 0

  hear(type: string, payload: unknown): void {
    if (type === 'control:changed') {
      this.#person = (payload as { mode: string }).mode === 'human'
      for (const id of this.#speaking) this.#silenced.add(id)
      this.#speaking.clear()
      return
    }
    const messageId = agentMessage(type, payload)
    if (messageId === null) return
    this.heard += 1
    if (this.#person || this.#silenced.has(messageId)) this.late += 1
    else this.#speaking.add(messageId)
  }
}

/** The message that an entry says something of, when an agent says it. */
export function agentMessage(type: string, payload: unknown): string | null {
  const { messageId = '', id = '', role = '' } = payload as { messageId?: string; id?: string; role?: string }
  if (type === 'text:delta' || type === 'agent:speaking') return messageId
  return type === 'message:completed' && role === 'assistant' ? id : null
}

export class TakeoverConversation {
  readonly id: string
  readonly ears: readonly LateText[]
  readonly #customer: Client
  readonly #operator: Client
  readonly #waiting = new Set<{ fits: (entry: LogEntry) => boolean; found: () => void }>()

  private constructor(id: string, customer: Client, operator: Client, ears: readonly LateText[]) {
    this.id = id
    this.#customer = customer
    this.#operator = operator
    this.ears = ears
  }

  static async open(gateways: readonly OpenGateway[], number: number): Promise<TakeoverConversation> {
    const user = `ann-${number}`
    const sockets = await Promise.all(gateways.map((gateway) => gateway.client(user)))
    const operator = await gateways[number % gateways.length]!.client(`olga-${number}`, ['operator'])
    const id = String((await request(sockets[0]!, 'conversation:open', {}))['conversationId'])
    const ears = sockets.map((socket) => {
      const one = new LateText()
      socket.on('log', (entries) => entries.forEach(({ type, payload }) => one.hear(type, payload)))
      return one
    })
    const made = new TakeoverConversation(id, sockets[0]!, operator, ears)
    operator.on('log', (entries) => made.#hear(entries))
    for (const socket of sockets.slice(1)) await request(socket, 'conversation:open', { conversationId: id })
    await request(operator, 'conversation:open', { conversationId: id, ops: true })
    return made
  }

  /**
   * The customer asks, an agent speaks, and after `waitMs` of it the operator takes over.
   *
   * @param inLog resolves with the time at which the log held the change to this control epoch
   * @returns milliseconds from the click to the entry in the log
   */
  async round(waitMs: number, inLog: (id: string, control: number) => Promise<number>): Promise<number> {
    const speaking = this.#until((entry) => entry.type === 'text:delta')
    await request(this.#customer, 'message:send', { conversationId: this.id, id: newId(), text: 'Where is it?' })
    await speaking
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    const clicked = performance.now()
    const receipt = await request(this.#operator, 'conversation:control', { conversationId: this.id, action: 'take' })
    const at = await inLog(this.id, receipt['control'] as number)
    await request(this.#operator, 'message:reply', { conversationId: this.id, id: newId(), text: 'I help you.' })
    await request(this.#operator, 'conversation:control', { conversationId: this.id, action: 'release' })
    return at - clicked
  }

  #hear(entries: readonly LogEntry[]): void {
    for (const entry of entries) for (const waiting of this.#waiting) if (waiting.fits(entry)) waiting.found()
  }

  #until(fits: (entry: LogEntry) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nobody spoke in ${this.id}`)), PATIENCE_MS)
      const waiting = {
        fits,
        found: () => {
          clearTimeout(late)
          this.#waiting.delete(waiting)
          resolve()
        },
      }
      this.#waiting.add(waiting)
    })
  }
}
