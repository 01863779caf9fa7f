/** Who sends turns in a figure: people with conversations, so many at the same time, by whatever door they come in. */
import { quantile } from './interleave.ts'

export interface TurnsOrder {
  readonly turns: number
  readonly inFlight: number
  /** Conversations go round them. */
  readonly tenants: readonly string[]
  /** Turns of a conversation before the next one is begun. */
  readonly perConversation: number
}

export interface TurnsDone {
  readonly perSecond: number
  /** Of whole turns, milliseconds. */
  readonly p50: number
  readonly p99: number
  /** From the sending of the message to the first text of the answer; null where nobody looked. */
  readonly firstTextP50: number | null
}

export interface TurnSeen {
  readonly outcome: string
  readonly firstTextMs: number | null
}

/** One conversation of one person. */
export interface Visit {
  /** Sends the message and settles with the end of its turn. */
  turn(clientId: string): Promise<TurnSeen>
  leave(): void
}

const TURN_MS = 60_000

export async function sendTurns(order: TurnsOrder, visit: (tenant: string) => Promise<Visit>): Promise<TurnsDone> {
  const { turns, inFlight, tenants, perConversation } = order
  const times: number[] = []
  const firsts: number[] = []
  let begun = 0
  let conversations = 0
  const person = async (): Promise<void> => {
    while (begun < turns) {
      const conversation = await visit(tenants[conversations++ % tenants.length]!)
      for (let said = 0; said < perConversation && begun < turns; said++) {
        begun++
        const started = performance.now()
        const seen = await inTime(conversation.turn(`m${said}`))
        if (seen.outcome !== 'answered') throw new Error(`a turn ended: ${seen.outcome}`)
        times.push(performance.now() - started)
        if (seen.firstTextMs !== null) firsts.push(seen.firstTextMs)
      }
      conversation.leave()
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: inFlight }, person))
  return {
    perSecond: (turns * 1_000) / (performance.now() - started),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    firstTextP50: firsts.length === 0 ? null : quantile(firsts, 0.5),
  }
}

async function inTime<Value>(work: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no end of a turn in ${TURN_MS} ms`)), TURN_MS)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
