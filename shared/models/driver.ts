import type { BaseMessage } from '@langchain/core/messages'

import type { ToolSpec } from './tool-spec.ts'

/**
 * What an adapter to a model must supply: one call, as a stream of pieces. An adapter knows its wire and nothing else;
 * retries, time limits, fallback, accounting and LangChain's shapes are the caller's (model-chain.ts, chat-model.ts).
 *
 * - Text is handed out as it comes. Tool calls are handed out once, complete, with arguments that were parsed.
 * - The last piece is `end`. A stream that stops without one was cut, and the adapter says so by throwing.
 * - Every failure is a WaggleError: MODEL_AUTH, MODEL_BUSY (details.retryAfterMs), MODEL_DOWN, MODEL_CUT,
 *   MODEL_MALFORMED, MODEL_REFUSED, CANCELLED.
 * - `signal` ends the call and frees what it holds; whoever stops reading early gets the same.
 */
export interface ModelDriver {
  /** As in `response_metadata.model_provider`. */
  readonly provider: string
  readonly model: string
  stream(request: ModelRequest): AsyncIterable<ModelPiece>
}

export interface ModelRequest {
  readonly messages: readonly BaseMessage[]
  readonly tools: readonly ToolSpec[]
  readonly toolChoice: ToolChoice
  readonly stop: readonly string[]
  readonly signal: AbortSignal
}

/** `auto`: the model decides; `none`: text only; `any`: some tool; otherwise the name of the tool it must call. */
export type ToolChoice = 'auto' | 'none' | 'any' | { readonly name: string }

export type ModelPiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'calls'; readonly calls: readonly ToolCallMade[] }
  | {
      readonly kind: 'end'
      readonly finish: FinishReason
      /** Null when the provider did not say; it is then estimated and marked so. */
      readonly usage: TokenUsage | null
      readonly metadata: Readonly<Record<string, unknown>>
    }

export interface ToolCallMade {
  readonly id: string
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

export type FinishReason = 'stop' | 'tool_calls' | 'length' | 'content_filter'

export interface TokenUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Part of the input tokens that the provider had cached. */
  readonly cachedTokens: number
}
