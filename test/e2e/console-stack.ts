/**
 * What the browser tests are driven against. `startStack` gives a gateway that serves the console and answers; which one
 * is behind it, the tests do not know.
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { buildConsole } from '#gateway/console/build.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { FakeGateway, OPERATOR_TOKEN } from '#test/unit/client/fake-gateway.ts'
import { ANSWER, answerAsDemo } from './console-brain.ts'

export interface Stack {
  /** Opens the console with a token that may see everything. */
  readonly page: string
  readonly question: string
  /** A part of what the answer must say. */
  readonly answer: RegExp
  /** From here on answers wait for `advance`. */
  readonly hold: () => void
  /** Lets the answers come on by so many steps of streaming; without a number, from now on to their end. */
  readonly advance: (steps?: number) => void
  /** Cuts every connection, as a network would. */
  readonly cut: () => void
  readonly close: () => Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
/** As strict as the gateway's own, so that nothing inline can creep in. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws:; base-uri 'none'; form-action 'self'"

export async function startStack(): Promise<Stack> {
  const { dir } = await buildConsole()
  const gateway = await FakeGateway.start({ handle: (request, response) => void serve(dir, request, response) })
  const pace = new StepPace()
  gateway.brain = (_, question, conversationId) => answerAsDemo(gateway, question, conversationId, pace)
  gateway.faults.onStop = (_, turnId) => pace.stop(turnId)
  return {
    page: `${gateway.url}/#token=${OPERATOR_TOKEN}`,
    question: 'Where is my order 1042?',
    answer: new RegExp(ANSWER.slice(0, 40)),
    hold: () => pace.hold(),
    advance: (steps) => pace.advance(steps),
    cut: () => gateway.cut(),
    close: async () => {
      pace.stopAll()
      await gateway.close()
    },
  }
}

/** Answers wait for `advance` before each word. */
class StepPace {
  #credit = 0
  #stopped = false
  readonly #stops = new Set<string>()
  readonly #waiting: { turnId: string; go: Deferred<boolean> }[] = []

  async step(turnId: string): Promise<boolean> {
    if (this.#stopped || this.#stops.has(turnId)) return false
    if (this.#credit > 0) {
      this.#credit -= 1
      return true
    }
    const go = new Deferred<boolean>()
    this.#waiting.push({ turnId, go })
    return go.promise
  }

  hold(): void {
    this.#credit = 0
  }

  advance(steps = Number.POSITIVE_INFINITY): void {
    this.#credit += steps
    while (this.#credit > 0) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#credit -= 1
      next.go.resolve(true)
    }
  }

  stop(turnId: string): void {
    this.#stops.add(turnId)
    for (const { turnId: waiting, go } of this.#waiting) if (waiting === turnId) go.resolve(false)
  }

  stopAll(): void {
    this.#stopped = true
    for (const { go } of this.#waiting.splice(0)) go.resolve(false)
  }
}

async function serve(dir: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname === '/api/v1/agents') return answerAgents(request, response)
  const file = normalize(pathname === '/' ? '/index.html' : pathname)
  try {
    const body = await readFile(join(dir, file))
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
    })
    response.end(body)
  } catch {
    response.writeHead(404).end()
  }
}

function answerAgents(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers['x-api-key'] !== OPERATOR_TOKEN) return void response.writeHead(401).end()
  const agent = (name: string, title: string, description: string, ...tools: string[]): object => ({
    name,
    title,
    description,
    model: 'builtin',
    outputMode: 'streamed',
    tools: tools.map((tool) => ({ name: tool, description: '', priority: 1 })),
    version: 1,
    enabled: true,
  })
  const agents = [
    agent('billing', 'Billing', 'Invoices, refunds and payments.', 'find_invoice'),
    agent('technical', 'Order support', 'Orders, deliveries and devices.', 'lookup_order_status'),
    agent('general', 'General', 'Everything else, and a person when you want one.', 'escalate_to_human'),
  ]
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ agents }))
}
