import type { BaseMessage } from '@langchain/core/messages'

import type { WaggleError } from '#shared/errors/waggle-error.ts'

import type { TokenUsage, ToolCallMade } from '../driver.ts'

/**
 * What a scripted model says in one call: its pieces in order, then an end. A turn that fails throws where it stands.
 *
 *   { say: ['Your ', 'order '] }                       text, piece by piece
 *   { call: [{ name: 'lookup', args: { id: '1042' } }] }
 *   { fail: new WaggleError('MODEL_BUSY', …) }
 *   { waitMs: 50 }                                     by the clock the model was given
 */
export type ScriptStep =
  | { readonly say: readonly string[] }
  | { readonly call: readonly (Omit<ToolCallMade, 'id'> & { readonly id?: string })[] }
  | { readonly fail: WaggleError }
  | { readonly waitMs: number }

export interface ScriptTurn {
  readonly steps: readonly ScriptStep[]
  readonly usage?: TokenUsage
}

/**
 * Turns in order; after the last one the model fails with MODEL_DOWN, so that a test that asks too often hears of it.
 * Or a function of what the model is told, which never runs out.
 */
export type Script = readonly ScriptTurn[] | ((messages: readonly BaseMessage[], call: number) => ScriptTurn)
