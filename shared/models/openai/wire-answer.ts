import { AIMessageChunk } from '@langchain/core/messages'
import type { UsageMetadata } from '@langchain/core/messages'
import type { ChatGenerationChunk } from '@langchain/core/outputs'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { FinishReason, ModelPiece, TokenUsage, ToolCallMade } from '../driver.ts'

const FINISHES: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  length: 'length',
  content_filter: 'content_filter',
}

/** An answer as it comes in: text passes through, fragments of tool calls are held until they are whole. */
export class WireAnswer {
  readonly #calls = new Map<number, { id: string; name: string; args: string }>()
  #finish: FinishReason | null = null
  #usage: TokenUsage | null = null
  #said = false
  #model: string | null = null

  take(chunk: ChatGenerationChunk): string {
    const message = chunk.message
    if (!(message instanceof AIMessageChunk)) return ''
    const reason: unknown = chunk.generationInfo?.['finish_reason']
    if (typeof reason === 'string') this.#finish = FINISHES[reason] ?? 'stop'
    const named: unknown = chunk.generationInfo?.['model_name']
    if (typeof named === 'string') this.#model = named
    const usage = message.usage_metadata as UsageMetadata | undefined
    if (usage !== undefined) {
      this.#usage = {
        inputTokens: usage.input_tokens ?? 0,
        outputTokens: usage.output_tokens ?? 0,
        cachedTokens: usage.input_token_details?.cache_read ?? 0,
      }
    }
    for (const fragment of message.tool_call_chunks ?? []) {
      const last = Math.max(0, this.#calls.size - 1)
      const index = fragment.index ?? (fragment.id === undefined ? last : this.#calls.size)
      const call = this.#calls.get(index) ?? { id: '', name: '', args: '' }
      this.#calls.set(index, {
        id: call.id || (fragment.id ?? ''),
        name: call.name || (fragment.name ?? ''),
        args: call.args + (fragment.args ?? ''),
      })
    }
    this.#said ||= chunk.text !== ''
    return chunk.text
  }

  *finish(begun: boolean): Generator<ModelPiece> {
    if (!begun) throw new WaggleError('MODEL_MALFORMED', { reason: 'The answer held no chunks.' })
    if (this.#finish === null)
      throw new WaggleError('MODEL_CUT', { reason: 'The stream ended without a finish reason.' })
    const calls = this.#read()
    if (this.#finish === 'content_filter' && !this.#said)
      throw new WaggleError('MODEL_REFUSED', { reason: 'The provider filtered the answer.' })
    if (calls.length > 0) yield { kind: 'calls', calls }
    // Some servers finish with `stop` although they called a tool.
    const finish = calls.length > 0 && this.#finish === 'stop' ? 'tool_calls' : this.#finish
    yield {
      kind: 'end',
      finish,
      usage: this.#usage,
      metadata: this.#model === null ? {} : { served_model: this.#model },
    }
  }

  /** Strictly: LangChain would complete half an object and call the tool with what it guessed. */
  #read(): ToolCallMade[] {
    return [...this.#calls.values()].map(({ id, name, args }, i) => {
      if (name === '') throw new WaggleError('MODEL_MALFORMED', { reason: 'A tool call has no name.' })
      const parsed = args.trim() === '' ? {} : parseObject(args)
      if (parsed === null) {
        if (this.#finish === 'length')
          throw new WaggleError('MODEL_CUT', { reason: 'The token limit cut a tool call.', tool: name })
        throw new WaggleError('MODEL_MALFORMED', {
          reason: 'The arguments of a tool call are no JSON object.',
          tool: name,
        })
      }
      return { id: id === '' ? `call_${i + 1}` : id, name, args: parsed }
    })
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}
