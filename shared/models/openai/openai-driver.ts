import type { ChatOpenAICompletions } from '@langchain/openai'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { ModelDriver, ModelPiece, ModelRequest, ToolChoice } from '../driver.ts'
import type { ParsedModelSpec, Provider } from '../spec.ts'
import { toWireTool } from '../tool-spec.ts'
import { providerError } from './provider-error.ts'
import { WireAnswer } from './wire-answer.ts'

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

/**
 * Hosted models that speak chat completions, through LangChain's client, which sends one request for each call and
 * retries nothing: retries have one authority, and that is the chain.
 */
export class OpenAiDriver implements ModelDriver {
  readonly provider: string
  readonly model: string
  readonly #spec: ParsedModelSpec
  readonly #deps: OpenAiDeps
  readonly #secrets: readonly string[]
  #client: Promise<ChatOpenAICompletions> | null = null

  constructor(spec: ParsedModelSpec, deps: OpenAiDeps) {
    this.provider = spec.provider
    this.model = spec.model
    this.#spec = spec
    this.#deps = deps
    this.#secrets = [spec.apiKey, ...Object.values(spec.headers ?? {})]
      .filter((secret) => secret !== undefined && secret.length >= MIN_SECRET_CHARS)
      .map(String)
  }

  async *stream(request: ModelRequest): AsyncGenerator<ModelPiece> {
    let begun = false
    const answer = new WireAnswer()
    try {
      const options = {
        signal: request.signal,
        ...(request.stop.length > 0 && { stop: [...request.stop] }),
        ...(request.tools.length > 0 && {
          tools: request.tools.map(toWireTool),
          tool_choice: wireChoice(request.toolChoice),
        }),
      }
      const client = await this.#load()
      for await (const chunk of client._streamResponseChunks([...request.messages], options)) {
        begun = true
        const text = answer.take(chunk)
        if (text !== '') yield { kind: 'text', text }
      }
    } catch (thrown) {
      throw providerError(thrown, { begun, signal: request.signal, now: this.#deps.now(), secrets: this.#secrets })
    }
    if (request.signal.aborted) throw new WaggleError('CANCELLED', { step: 'asking the model' })
    yield* answer.finish(begun)
  }

  #load(): Promise<ChatOpenAICompletions> {
    this.#client ??= import('./completions-client.ts').then(({ completionsClient }) =>
      completionsClient(this.#spec, baseUrlOf(this.#spec) ?? null, this.#deps.fetch),
    )
    return this.#client
  }
}

/** Shorter ones are no secrets, and would black out half of a message. */
const MIN_SECRET_CHARS = 8

function wireChoice(
  choice: ToolChoice,
): 'auto' | 'none' | 'required' | { type: 'function'; function: { name: string } } {
  if (choice === 'any') return 'required'
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } }
}
