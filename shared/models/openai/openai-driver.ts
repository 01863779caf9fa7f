import { AIMessageChunk } from '@langchain/core/messages'
import type { UsageMetadata } from '@langchain/core/messages'
import type { ChatGenerationChunk } from '@langchain/core/outputs'
import { ChatOpenAICompletions } from '@langchain/openai'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import type {
  FinishReason,
  ModelDriver,
  ModelPiece,
  ModelRequest,
  TokenUsage,
  ToolCallMade,
  ToolChoice,
} from '../driver.ts'
import type { ParsedModelSpec, Provider } from '../spec.ts'
import { toWireTool } from '../tool-spec.ts'
import { providerError } from './provider-error.ts'

/** Where the known speakers of the chat-completions wire are, when a spec does not say. */
const BASE_URLS: Readonly<Partial<Record<Provider, string>>> = {
  openai: 'https://api.openai.com/v1',
  groq: 'https://api.groq.com/openai/v1',
  openrouter: 'https://openrouter.ai/api/v1',
  ollama: 'http://127.0.0.1:11434/v1',
  vllm: 'http://127.0.0.1:8000/v1',
}

export function baseUrlOf(spec: ParsedModelSpec): string | undefined {
  return spec.baseUrl ?? BASE_URLS[spec.provider]
}

export interface OpenAiDeps {
  readonly fetch?: typeof fetch
  readonly now: () => number
}

type ConvertDelta = ChatOpenAICompletions['_convertCompletionsDeltaToBaseMessageChunk']

/** Some servers leave the role out of their deltas; the client would then take their text for nobody's, and drop tool calls. */
class Completions extends ChatOpenAICompletions {
  protected override _convertCompletionsDeltaToBaseMessageChunk(
    ...[delta, raw, role]: Parameters<ConvertDelta>
  ): ReturnType<ConvertDelta> {
    const said: unknown = delta['role']
    return super._convertCompletionsDeltaToBaseMessageChunk(
      { ...delta, role: said === '' || said === null ? undefined : said },
      raw,
      role ?? 'assistant',
    )
  }
}

/**
 * Hosted models that speak chat completions, through LangChain's client, which sends one request for each call and
 * retries nothing: retries have one authority, and that is the chain.
 */
export class OpenAiDriver implements ModelDriver {
  readonly provider: string
  readonly model: string
  readonly #client: Completions
  readonly #secrets: readonly string[]
  readonly #now: () => number

  constructor(spec: ParsedModelSpec, deps: OpenAiDeps) {
    this.provider = spec.provider
    this.model = spec.model
    this.#secrets = spec.apiKey === undefined ? [] : [spec.apiKey]
    this.#now = deps.now
    this.#client = new Completions({
      model: spec.model,
      // Never from the environment: a tenant without a key must not speak with the platform's.
      apiKey: spec.apiKey ?? NO_KEY,
      maxRetries: 0,
      streamUsage: spec.streamUsage ?? true,
      ...(spec.temperature !== undefined && { temperature: spec.temperature }),
      ...(spec.maxOutputTokens !== undefined && { maxTokens: spec.maxOutputTokens }),
      ...(spec.seed !== undefined && { modelKwargs: { seed: spec.seed } }),
      configuration: {
        baseURL: baseUrlOf(spec) ?? null,
        organization: null,
        project: null,
        logLevel: 'off',
        ...(spec.headers !== undefined && { defaultHeaders: spec.headers }),
        ...(deps.fetch !== undefined && { fetch: deps.fetch }),
      },
    })
  }

  async *stream(request: ModelRequest): AsyncGenerator<ModelPiece> {
    let begun = false
    const answer = new Answer()
    try {
      const options = {
        signal: request.signal,
        ...(request.stop.length > 0 && { stop: [...request.stop] }),
        ...(request.tools.length > 0 && {
          tools: request.tools.map(toWireTool),
          tool_choice: wireChoice(request.toolChoice),
        }),
      }
      for await (const chunk of this.#client._streamResponseChunks([...request.messages], options)) {
        begun = true
        const text = answer.take(chunk)
        if (text !== '') yield { kind: 'text', text }
      }
    } catch (thrown) {
      throw providerError(thrown, { begun, signal: request.signal, now: this.#now(), secrets: this.#secrets })
    }
    if (request.signal.aborted) throw new WaggleError('CANCELLED', { step: 'asking the model' })
    yield* answer.finish(begun)
  }
}

/** Servers without keys (Ollama, vLLM) take any. */
const NO_KEY = 'none'

function wireChoice(
  choice: ToolChoice,
): 'auto' | 'none' | 'required' | { type: 'function'; function: { name: string } } {
  if (choice === 'any') return 'required'
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } }
}

const FINISHES: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  length: 'length',
  content_filter: 'content_filter',
}

/** An answer as it comes in: text passes through, fragments of tool calls are held until they are whole. */
class Answer {
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
