import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { z } from 'zod'

import { hold } from '#test/kit/leaks.ts'

/**
 * A server that speaks chat completions as the published reference describes it: it checks every request against the
 * shape of the reference, answers in server-sent events, and can fail in every way a provider does. A request that does
 * not fit is answered 400 and kept in `violations`, so that a test can say that there were none.
 */
export type WireReply =
  | { readonly kind: 'text'; readonly pieces: readonly string[]; readonly usage?: boolean }
  | { readonly kind: 'calls'; readonly calls: readonly WireCall[]; readonly fragment?: number }
  /** Lines as given, after `data: `; nothing is added. */
  | { readonly kind: 'raw'; readonly lines: readonly string[]; readonly contentType?: string }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: unknown
    }
  /** Some pieces, then the connection is destroyed. */
  | { readonly kind: 'cut'; readonly pieces: readonly string[] }
  /** Pieces, then the connection stays open and silent. */
  | { readonly kind: 'hang'; readonly pieces: readonly string[] }

export interface WireCall {
  readonly id: string
  readonly name: string
  /** JSON text; given in fragments. */
  readonly arguments: string
}

export type WireRequest = z.infer<typeof requestShape>

const content = z.union([z.string(), z.array(z.strictObject({ type: z.literal('text'), text: z.string() })).min(1)])
const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/)
const toolCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: toolName, arguments: z.string() }),
})

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content, name: z.string().optional() }),
  z.strictObject({ role: z.literal('developer'), content, name: z.string().optional() }),
  z.strictObject({ role: z.literal('user'), content, name: z.string().optional() }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([content, z.literal(''), z.null()]).optional(),
    name: z.string().optional(),
    tool_calls: z.array(toolCall).min(1).optional(),
  }),
  z.strictObject({ role: z.literal('tool'), content, tool_call_id: z.string().min(1), name: z.string().optional() }),
])

const requestShape = z.strictObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  stream: z.literal(true),
  stream_options: z.strictObject({ include_usage: z.boolean() }).optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_tokens: z.number().int().positive().optional(),
  max_completion_tokens: z.number().int().positive().optional(),
  stop: z.union([z.string(), z.array(z.string()).min(1).max(4)]).optional(),
  seed: z.number().int().optional(),
  n: z.number().int().optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name: toolName,
          description: z.string().optional(),
          parameters: z.looseObject({ type: z.literal('object') }).optional(),
          strict: z.boolean().optional(),
        }),
      }),
    )
    .min(1)
    .optional(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: toolName }) }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
})

export class WireServer {
  readonly requests: WireRequest[] = []
  readonly violations: string[] = []
  /** Headers of each request, in order. */
  readonly headers: IncomingMessage['headers'][] = []
  /** Answers that were given up by the client before they ended. */
  abandoned = 0
  readonly #replies: WireReply[] = []
  readonly #server: Server
  readonly #open = new Set<ServerResponse>()
  #waiters: (() => void)[] = []
  #release: () => void = () => undefined

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#serve(request, response)
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.#release = hold('server', 'chat completions')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#release()
  }

  /** What is answered next, instead of what was left over from before. */
  reply(...replies: readonly WireReply[]): void {
    this.#replies.splice(0, this.#replies.length, ...replies)
  }

  /** Settles when this many requests have come in. */
  async asked(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  /** Settles when a client has left an unfinished answer. */
  async left(count: number): Promise<void> {
    while (this.abandoned < count) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const part of request) text += String(part)
    response.on('close', () => {
      this.#open.delete(response)
      if (!response.writableEnded) {
        this.abandoned += 1
        this.#wake()
      }
    })
    this.#open.add(response)
    const problem = this.#check(request, text)
    this.headers.push(request.headers)
    if (problem !== null) {
      this.violations.push(problem)
      this.#wake()
      return this.#status(response, 400, {}, { error: { message: problem, type: 'invalid_request_error' } })
    }
    const body = JSON.parse(text) as WireRequest
    this.requests.push(body)
    this.#wake()
    const reply = this.#replies.shift()
    if (reply === undefined)
      return this.#status(response, 500, {}, { error: { message: 'the test has no reply left' } })
    this.#answer(response, reply, body)
  }

  #check(request: IncomingMessage, text: string): string | null {
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') return `${request.method} ${request.url}`
    if (request.headers['content-type']?.startsWith('application/json') !== true) return 'content-type'
    if (!/^Bearer .+/.test(request.headers.authorization ?? '')) return 'authorization'
    const parsed = requestShape.safeParse(JSON.parse(text))
    if (!parsed.success)
      return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
    return unanswered(parsed.data)
  }

  #answer(response: ServerResponse, reply: WireReply, body: WireRequest): void {
    if (reply.kind === 'status')
      return this.#status(
        response,
        reply.status,
        reply.headers ?? {},
        reply.body ?? { error: { message: 'as told', type: 'test' } },
      )
    const type = reply.kind === 'raw' ? (reply.contentType ?? 'text/event-stream') : 'text/event-stream'
    response.writeHead(200, { 'content-type': type })
    const write = (value: unknown): void =>
      void response.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`)
    const delta = (fields: object, finish: string | null = null): void =>
      write({ ...chunkHead(body), choices: [{ index: 0, delta: fields, logprobs: null, finish_reason: finish }] })
    const close = (finish: string, usage: boolean): void => {
      delta({}, finish)
      if (usage && body.stream_options?.include_usage === true) {
        write({
          ...chunkHead(body),
          choices: [],
          usage: {
            prompt_tokens: 21,
            completion_tokens: 7,
            total_tokens: 28,
            prompt_tokens_details: { cached_tokens: 16 },
          },
        })
      }
      write('[DONE]')
      response.end()
    }
    switch (reply.kind) {
      case 'text':
        delta({ role: 'assistant', content: '' })
        for (const piece of reply.pieces) delta({ content: piece })
        return close('stop', reply.usage ?? true)
      case 'calls':
        delta({ role: 'assistant', content: null })
        for (const [index, call] of reply.calls.entries()) {
          delta({
            tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }],
          })
          const size = reply.fragment ?? 3
          for (let at = 0; at < call.arguments.length; at += size) {
            delta({ tool_calls: [{ index, function: { arguments: call.arguments.slice(at, at + size) } }] })
          }
        }
        return close('tool_calls', true)
      case 'raw':
        for (const line of reply.lines) write(line)
        response.end()
        return
      case 'cut':
      case 'hang':
        if (reply.pieces.length > 0) delta({ role: 'assistant', content: '' })
        for (const piece of reply.pieces) delta({ content: piece })
        // Destroyed only after what was written had left, so that the client has read it.
        if (reply.kind === 'cut') response.write(': last words\n\n', () => setImmediate(() => response.destroy()))
        return
    }
  }

  #status(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body: unknown): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter()
  }
}

function chunkHead(body: WireRequest): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: `${body.model}-2026`,
    system_fingerprint: 'fp',
  }
}

/** The reference demands: every tool message answers a call of the assistant message before it, and every call is answered. */
function unanswered(body: WireRequest): string | null {
  let open = new Set<string>()
  for (const one of body.messages) {
    if (one.role === 'tool') {
      if (!open.delete(one.tool_call_id)) return `tool message answers no call: ${one.tool_call_id}`
    } else {
      if (open.size > 0) return `calls without answer: ${[...open].join(', ')}`
      open = new Set(one.role === 'assistant' ? (one.tool_calls ?? []).map((call) => call.id) : [])
    }
  }
  return open.size > 0 ? `calls without answer: ${[...open].join(', ')}` : null
}
