import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager'
import type { BaseLanguageModelInput } from '@langchain/core/language_models/base'
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { BaseChatModelCallOptions, BindToolsInput } from '@langchain/core/language_models/chat_models'
import { AIMessageChunk } from '@langchain/core/messages'
import type { BaseMessage, MessageContent, UsageMetadata } from '@langchain/core/messages'
import { ChatGenerationChunk } from '@langchain/core/outputs'
import type { ChatResult } from '@langchain/core/outputs'
import type { Runnable } from '@langchain/core/runnables'
import type { IterableReadableStream } from '@langchain/core/utils/stream'

import { WaggleError, coded } from '#shared/errors/waggle-error.ts'

import { countTokens } from '#shared/text/tokens.ts'
import type { ModelRequest, ToolCallMade, ToolChoice } from './driver.ts'
import { streamChain } from './model-chain.ts'
import type { ChainDeps, ChainLink, ChainPiece } from './model-chain.ts'
import { readTool } from './tool-spec.ts'

export interface ModelCallOptions extends BaseChatModelCallOptions {
  /** Definitions in any shape LangChain binds, or ToolSpecs. */
  readonly tools?: readonly unknown[]
  /** The signal of a stream; see `ChatModel.stream`. */
  readonly stopSignal?: AbortSignal
}

const NEVER = new AbortController().signal

/**
 * The one chat model of the product, over any chain of drivers. It streams through `_streamResponseChunks` and
 * `handleLLMNewToken`, so that LangGraph sees every token; usage is in `usage_metadata`, provider, model, cost and what
 * the provider said besides in `response_metadata`. Whatever fails is a WaggleError.
 */
export class ChatModel extends BaseChatModel<ModelCallOptions, AIMessageChunk> {
  readonly #links: readonly ChainLink[]
  readonly #deps: ChainDeps
  readonly #mustCall: boolean

  /** @param mustCall  whether, unless a call says otherwise, some bound tool has to be called */
  constructor(links: readonly ChainLink[], deps: ChainDeps, mustCall = false) {
    super({})
    this.#links = links
    this.#deps = deps
    this.#mustCall = mustCall
  }

  /**
   * An answer that fits a JSON Schema, as the arguments of a tool that must be called. Use it instead of
   * `withStructuredOutput`, which binds the tool but leaves it to the model whether to call it. What comes back is not
   * validated: the schema's owner does that.
   */
  structured(
    schema: Readonly<Record<string, unknown>>,
    name: string,
  ): Runnable<BaseLanguageModelInput, Record<string, unknown>> {
    return new ChatModel(this.#links, this.#deps, true).withStructuredOutput<Record<string, unknown>>(
      { ...schema },
      { name },
    )
  }

  static override lc_name(): string {
    return 'WaggleChatModel'
  }

  override _llmType(): string {
    return 'waggle'
  }

  override get callKeys(): string[] {
    return [...super.callKeys, 'tools', 'tool_choice', 'stopSignal']
  }

  /** Tools may carry `examples` and a `template`; see tool-spec.ts. */
  override bindTools(
    tools: BindToolsInput[],
    options: Partial<ModelCallOptions> = {},
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, ModelCallOptions> {
    return this.withConfig({ ...options, tools: tools.map(readTool) })
  }

  override async invoke(input: BaseLanguageModelInput, options?: Partial<ModelCallOptions>): Promise<AIMessageChunk> {
    try {
      return await super.invoke(input, options)
    } catch (thrown) {
      throw asCoded(thrown, options?.signal)
    }
  }

  /** LangChain would end the stream with an error of its own when the signal fires; the chain ends it with CANCELLED. */
  override async stream(
    input: BaseLanguageModelInput,
    options?: Partial<ModelCallOptions>,
  ): Promise<IterableReadableStream<AIMessageChunk>> {
    const { signal, ...rest } = options ?? {}
    return super.stream(input, signal === undefined ? rest : { ...rest, stopSignal: signal })
  }

  override async *_streamIterator(
    input: BaseLanguageModelInput,
    options?: Partial<ModelCallOptions>,
  ): AsyncGenerator<AIMessageChunk> {
    try {
      yield* super._streamIterator(input, options)
    } catch (thrown) {
      throw asCoded(thrown, options?.signal ?? options?.stopSignal)
    }
  }

  override async _generate(messages: BaseMessage[], options: this['ParsedCallOptions']): Promise<ChatResult> {
    let text = ''
    let message: AIMessageChunk | null = null
    const calls: ToolCallMade[] = []
    for await (const piece of streamChain(this.#links, requestOf(messages, options, this.#mustCall), this.#deps)) {
      if (piece.kind === 'text') text += piece.text
      else if (piece.kind === 'calls') calls.push(...piece.calls)
      else message = endOf(piece, text, calls)
    }
    if (message === null) throw new WaggleError('MODEL_CUT')
    return { generations: [{ text, message, generationInfo: {} }] }
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    for await (const piece of streamChain(this.#links, requestOf(messages, options, this.#mustCall), this.#deps)) {
      const chunk = chunkOf(piece)
      yield chunk
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk })
    }
  }

  /** Offline: LangChain's own would fetch a tokenizer's tables. */
  override async getNumTokens(content: MessageContent): Promise<number> {
    return countTokens(typeof content === 'string' ? content : JSON.stringify(content))
  }
}

function requestOf(messages: readonly BaseMessage[], options: ModelCallOptions, mustCall: boolean): ModelRequest {
  return {
    messages,
    tools: (options.tools ?? []).map(readTool),
    toolChoice: readChoice(options.tool_choice ?? (mustCall ? 'any' : 'auto')),
    stop: options.stop ?? [],
    signal: options.signal ?? options.stopSignal ?? NEVER,
  }
}

function readChoice(given: ModelCallOptions['tool_choice']): ToolChoice {
  if (given === undefined || given === 'auto') return 'auto'
  if (given === 'none') return 'none'
  if (given === 'any' || given === 'required') return 'any'
  if (typeof given === 'string') return { name: given }
  const name: unknown = given['function']?.['name'] ?? given['name']
  return typeof name === 'string' ? { name } : 'auto'
}

function chunkOf(piece: ChainPiece): ChatGenerationChunk {
  switch (piece.kind) {
    case 'text':
      return new ChatGenerationChunk({ text: piece.text, message: new AIMessageChunk({ content: piece.text }) })
    case 'calls':
      return new ChatGenerationChunk({
        text: '',
        message: new AIMessageChunk({ content: '', tool_call_chunks: callChunks(piece.calls) }),
      })
    case 'end':
      return new ChatGenerationChunk({ text: '', message: endOf(piece, '', []) })
  }
}

type CallsPiece = Extract<ChainPiece, { kind: 'calls' }>

function callChunks(
  calls: CallsPiece['calls'],
): { name: string; args: string; id: string; index: number; type: 'tool_call_chunk' }[] {
  return calls.map((call, index) => ({
    name: call.name,
    args: JSON.stringify(call.args),
    id: call.id,
    index,
    type: 'tool_call_chunk',
  }))
}

type EndPiece = Extract<ChainPiece, { kind: 'end' }>

function endOf(piece: EndPiece, text: string, calls: CallsPiece['calls']): AIMessageChunk {
  const { usage, estimated, costMicros, provider, model } = piece.call
  const message = new AIMessageChunk({
    content: text,
    tool_call_chunks: callChunks(calls),
    response_metadata: {
      ...piece.metadata,
      finish_reason: piece.finish,
      model_provider: provider,
      model_name: model,
      usage_estimated: estimated,
      cost_micros: costMicros,
    },
  })
  const counted: UsageMetadata = {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    ...(usage.cachedTokens > 0 && { input_token_details: { cache_read: usage.cachedTokens } }),
  }
  // The constructor's type knows this field only for messages with a declared structure.
  return Object.assign(message, { usage_metadata: counted })
}

function asCoded(thrown: unknown, signal: AbortSignal | undefined): WaggleError {
  return signal?.aborted === true
    ? new WaggleError('CANCELLED', { step: 'asking the model' })
    : coded(thrown, 'MODEL_MALFORMED')
}
