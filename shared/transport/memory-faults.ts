/**
 * What the memory broker does wrong on purpose. Every field may be changed while it runs; a rate is a probability in
 * [0, 1], drawn from the broker's seeded random. The defaults are a perfect network with no latency.
 */
export interface Faults {
  /** Each hop (node to broker, broker to node) takes a random time in this range; a connection keeps its order. */
  latencyMinMs: number
  latencyMaxMs: number
  /** An acknowledgement of a delivery is lost: the broker delivers again after the wait. */
  lostAckRate: number
  /** An append is stored, but the answer never comes (BROKER_DOWN after the time limit, outcome unknown). */
  lostAppendAnswerRate: number
  /** An append is stored, its answer comes up to `lateAppendAnswerMs` late. */
  lateAppendAnswerRate: number
  lateAppendAnswerMs: number
  /** Deliveries whose wait ran out come again in random order instead of stream order. */
  redeliveryOutOfOrder: boolean
  /** `entries()` of a bucket is answered from a random state of at most this age (a follower that lags). */
  staleReadMs: number
}

export const NO_FAULTS: Readonly<Faults> = {
  latencyMinMs: 0,
  latencyMaxMs: 0,
  lostAckRate: 0,
  lostAppendAnswerRate: 0,
  lateAppendAnswerRate: 0,
  lateAppendAnswerMs: 0,
  redeliveryOutOfOrder: false,
  staleReadMs: 0,
}

/** Fisher and Yates, in place. */
export function shuffle<T>(items: T[], random: () => number): T[] {
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    const swapped = items[index]!
    items[index] = items[other]!
    items[other] = swapped
  }
  return items
}
