/** One conversation of the figure takeover-fence: a customer with a socket on each of two gateways, and an operator. */
import type { Client, OpenGateway } from '#test/kit/open-gateway.ts'
import { request } from '#test/kit/open-gateway.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { newId } from '#shared/lib/ids.ts'

const PATIENCE_MS = 30_000

/** Text of an agent heard by a socket after it had heard that a person has the voice, and before an agent had it again. */
export class CustomerEars {
  #person = false
  late = 0
  deltas = 0

  hear(entries: readonly LogEntry[]): void {
    for (const { type, payload } of entries) {
      if (type === 'control:changed') this.#person = (payload as { mode: string }).mode === 'human'
      else if (isAgentText(type, payload)) {
        this.deltas += 1
        if (this.#person) this.late += 1
      }
    }
  }
}

export function isAgentText(type: string, payload: unknown): boolean {
  if (type === 'text:delta' || type === 'agent:speaking') return true
  return type === 'message:completed' && (payload as { role: string }).role === 'assistant'
}

export class TakeoverConversation {
  readonly id: string
  readonly ears: readonly CustomerEars[]
  readonly #customer: Client
  readonly #operator: Client
  readonly #waiting = new Set<{ fits: (entry: LogEntry) => boolean; found: () => void }>()

  private constructor(id: string, customer: Client, operator: Client, ears: readonly CustomerEars[]) {
    this.id = id
    this.#customer = customer
    this.#operator = operator
    this.ears = ears
  }

  static async open(gateways: readonly OpenGateway[], number: number): Promise<TakeoverConversation> {
    const id = `take-${number}-${newId()}`
    const user = `ann-${number}`
    const sockets = await Promise.all(gateways.map((gateway) => gateway.client(user)))
    const operator = await gateways[number % gateways.length]!.client(`olga-${number}`, ['operator'])
    const ears = sockets.map((socket) => {
      const one = new CustomerEars()
      socket.on('log', (entries) => one.hear(entries))
      return one
    })
    const made = new TakeoverConversation(id, sockets[0]!, operator, ears)
    operator.on('log', (entries) => made.#hear(entries))
    // A first message makes the conversation; everybody opens it then.
    await request(sockets[0]!, 'message:send', { conversationId: id, id: newId(), text: 'Hello?' })
    for (const socket of sockets) await request(socket, 'conversation:open', { conversationId: id })
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
    // What the agent had unsaid has come, or its turn has ended: whatever is late would have been said by now.
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
