import type { Context } from '#shared/actor/definition.ts'

/** JSON-safe. `queued` is in order; `atWork` are child runs by their last key part. */
export interface IngestionState {
  queued: { documentId: string; version: number }[]
  atWork: { documentId: string; version: number; run: string }[]
  /** A sweep is under way. */
  sweeping: boolean
  /** Something was removed or replaced since it began. */
  sweepAgain: boolean
}

export type Ctx = Context<IngestionState>

export function initialState(): IngestionState {
  return { queued: [], atWork: [], sweeping: false, sweepAgain: false }
}

/** Everything said of a tenant's knowledge has this scope. */
export const SCOPE = { scope: 'knowledge' } as const
