import type { Address } from '#shared/wire/envelope.ts'

/**
 * What the runtime tells about itself, in process: `noun:verb:outcome`, one payload each. Metrics, logs and the test
 * journal read the same map. (What people are to see is an event of the log instead.)
 */
export interface RuntimeEventMap {
  /** A node began to hold a partition. */
  'partition:acquired': {
    kind: string
    partition: number
    epoch: number
    resumedRuns: number
    unsent: number
    ms: number
  }
  /** It let go, or lost it to a higher epoch. */
  'partition:released': { kind: string; partition: number; epoch: number; reason: string }
  'node:joined': { node: string }
  'node:left': { node: string }
  'activation:woken': { address: Address; ms: number }
  'activation:slept': { address: Address }
  'command:handled:done': { address: Address; type: string; tenant: string; ms: number }
  'command:handled:refused': { address: Address; type: string; tenant: string; code: string }
  'command:handled:duplicate': { address: Address; type: string; tenant: string }
  'command:handled:crashed': {
    address: Address
    type: string
    tenant: string
    attempt: number
    code: string
    message: string
  }
  'command:handled:buried': { address: Address; type: string; tenant: string; code: string }
  /** A dead letter was stored, whatever it was of. */
  'letter:buried': { tenant: string; kind: string; code: string }
  'call:answered:done': { address: string; type: string; tenant: string; ms: number }
  'call:answered:failed': { address: string; type: string; tenant: string; code: string }
  'run:started': { address: Address; tenant: string; attempt: number }
  'run:ended': { address: Address; tenant: string; state: string; ms: number }
  'run:crashed': { address: Address; tenant: string; decision: string; code: string; message: string }
  'commit:done': { steps: number; ms: number }
  'relay:retried': { subject: string; code: string }
  /** What had outlived its term was let go. */
  'rows:retired': { what: string; rows: number }
  'limit:hit': { limit: string; tenant: string; code: string }
}

export type RuntimeEventName = keyof RuntimeEventMap
export type Observe = <Name extends RuntimeEventName>(name: Name, event: RuntimeEventMap[Name]) => void
export const observeNothing: Observe = () => {}
