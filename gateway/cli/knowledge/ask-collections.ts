import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { KnowledgeAnswer } from '#shared/contracts/knowledge.ts'
import { placeInWords, shorten } from '#gateway/client/words.ts'
import { CliError, fromClientError } from '../cli-error.ts'
import { findEndpoint } from '../endpoint.ts'
import type { EndpointOptions } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { reach, refusedBy } from '../rest.ts'
import type { Terminal } from '../terminal.ts'

const QUOTE_CHARS = 120

/** Asks collections alone, without an agent: the answer as it comes, then where each quote stands. */
export async function askCollections(
  question: string,
  collections: readonly string[],
  options: EndpointOptions & { readonly json?: boolean; readonly quiet?: boolean; readonly timeout: number },
  terminal: Terminal,
): Promise<ExitCode> {
  const endpoint = await findEndpoint(options, terminal)
  const sending = { method: 'POST' as const, json: { question, collections }, timeoutMs: options.timeout }
  const response = await reach(endpoint, 'query', sending, 'text/event-stream')
  if (!response.ok || response.body === null) throw await refusedBy(response)
  let answer: KnowledgeAnswer | null = null
  for await (const { event, data } of eventsOf(response.body)) {
    if (options.json === true) terminal.out(`${JSON.stringify({ event, data })}\n`)
    else if (event === 'text') terminal.out((data as { text: string }).text)
    if (event === 'error') throw fromClientError((data as { error: Parameters<typeof fromClientError>[0] }).error)
    if (event === 'answer') answer = KnowledgeAnswer.parse(data)
  }
  if (answer === null) throw new CliError(ExitCode.failed, 'The answer broke off.', 'Ask again.')
  if (options.json !== true) {
    terminal.out('\n')
    if (options.quiet !== true)
      for (const citation of answer.citations)
        terminal.err(
          terminal.errColors.dim(
            `[${citation.mark}] ${placeInWords(citation)}: “${shorten(citation.quote, QUOTE_CHARS)}”\n`,
          ),
        )
  }
  return answer.covered ? ExitCode.ok : ExitCode.refused
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<{ event: string; data: unknown }> {
  let event = ''
  for await (const line of createInterface({ input: Readable.fromWeb(body as never) })) {
    if (line.startsWith('event: ')) event = line.slice(7)
    else if (line.startsWith('data: ')) yield { event, data: JSON.parse(line.slice(6)) as unknown }
  }
}
