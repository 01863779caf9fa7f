import { ChatOpenAICompletions } from '@langchain/openai'

import type { ParsedModelSpec } from '../spec.ts'

/** Servers without keys (Ollama, vLLM) take any. */
const NO_KEY = 'none'

type ConvertDelta = ChatOpenAICompletions['_convertCompletionsDeltaToBaseMessageChunk']

/** Some servers leave the role out of their deltas; the client would then take their text for nobody's, and drop tool calls. */
class Completions extends ChatOpenAICompletions {
  protected override _convertCompletionsDeltaToBaseMessageChunk(
    ...[delta, raw, role]: Parameters<ConvertDelta>
  ): ReturnType<ConvertDelta> {
    const said: unknown = delta['role']
    const named = said === '' || said === null ? undefined : said
    return super._convertCompletionsDeltaToBaseMessageChunk({ ...delta, role: named }, raw, role ?? 'assistant')
  }
}

/**
 * LangChain's client for one spec. Loaded when a hosted model is first asked, because it is most of what a process with
 * none would otherwise load at start. Address and key are always given: left out, they would come from the environment,
 * and a tenant without a key would speak with the platform's.
 */
export function completionsClient(
  spec: ParsedModelSpec,
  baseUrl: string | null,
  fetcher: typeof fetch | undefined,
): ChatOpenAICompletions {
  return new Completions({
    model: spec.model,
    apiKey: spec.apiKey ?? NO_KEY,
    maxRetries: 0,
    streamUsage: spec.streamUsage ?? true,
    ...(spec.temperature !== undefined && { temperature: spec.temperature }),
    ...(spec.maxOutputTokens !== undefined && { maxTokens: spec.maxOutputTokens }),
    ...(spec.seed !== undefined && { modelKwargs: { seed: spec.seed } }),
    configuration: {
      baseURL: baseUrl,
      organization: null,
      project: null,
      logLevel: 'off',
      ...(spec.headers !== undefined && { defaultHeaders: spec.headers }),
      ...(fetcher !== undefined && { fetch: fetcher }),
    },
  })
}
