/**
 * What the browser tests are driven against: a gateway that serves the console and answers at the test's pace. Two of
 * them, the tests do not know which: `startDouble` is the fake gateway with a made-up swarm; `startEmbedded` is the
 * whole stack as `npm start` runs it, its agents speaking to a hosted model of ours.
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { buildConsole } from '#gateway/console/build.ts'
import { CutProxy } from '#test/contract/transport-proxy.ts'
import { startStackProcess } from '#test/kit/stack-process.ts'
import { FakeGateway, OPERATOR_TOKEN } from '#test/unit/client/fake-gateway.ts'
import { ANSWER, answerAsDemo } from './console-brain.ts'
import { startPacedModel } from './console-model.ts'
import { StepPace } from './console-pace.ts'

export interface Stack {
  /** Opens the console with a token that may see everything. */
  readonly page: string
  readonly question: string
  /** The whole answer as the page shows it, without markup. */
  readonly answer: string
  /** What else the finished answer must show: who speaks, route, tool call, verdicts. */
  readonly shows: readonly RegExp[]
  readonly tool: string
  /** From here on answers wait for `advance`. */
  readonly hold: () => void
  /** Lets the answers come on by so many words; without a number, from now on to their end. */
  readonly advance: (steps?: number) => void
  /** Cuts every connection, as a network would. */
  readonly cut: () => void
  readonly close: () => Promise<void>
}

const QUESTION = 'Where is my order 1042?'
const PLAIN_ANSWER = ANSWER.replaceAll(/[*`]|^- /gm, '')

/** The stack itself; the browser reaches it through a relay whose connections can be cut. */
export async function startEmbedded(): Promise<Stack> {
  const pace = new StepPace()
  const model = await startPacedModel(ANSWER, pace)
  const env = { MODEL_PROVIDER: 'openai', MODEL_NAME: 'paced', OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'test' }
  const stack = await startStackProcess({ env })
  const relay = await CutProxy.listen(stack.url)
  return {
    page: `http://127.0.0.1:${new URL(relay.url).port}/#token=${stack.token}`,
    question: QUESTION,
    answer: PLAIN_ANSWER,
    tool: 'lookup_order_status',
    shows: [
      /Orders and general help/,
      /Routed to/,
      /lookup_order_status/,
      /order_id\s+1042/,
      /done/,
      /\d checks? passed/,
    ],
    hold: () => pace.hold(),
    advance: (steps) => pace.advance(steps),
    cut: () => {
      relay.cut()
      relay.heal()
    },
    close: async () => {
      pace.end()
      await relay.close()
      await stack.stop()
      await model.close()
    },
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
/** Stricter than the gateway's own, so that nothing inline can creep in. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws:; base-uri 'none'; form-action 'self'"

export async function startDouble(): Promise<Stack> {
  const { dir } = await buildConsole()
  const gateway = await FakeGateway.start({ handle: (request, response) => void serve(dir, request, response) })
  const pace = new StepPace()
  gateway.brain = (_, question, conversationId) => answerAsDemo(gateway, question, conversationId, pace)
  gateway.faults.onStop = (_, turnId) => pace.stop(turnId)
  return {
    page: `${gateway.url}/#token=${OPERATOR_TOKEN}`,
    question: QUESTION,
    answer: PLAIN_ANSWER,
    tool: 'lookup_order_status',
    shows: [
      /Order support/,
      /Routed to Order support: It asks about an order/,
      /order_id\s+1042/,
      /done\s*38 ms/,
      /status\s+shipped/,
      /“personal data” changed the tool’s result: A phone number was hidden\./,
      /3 checks passed/,
    ],
    hold: () => pace.hold(),
    advance: (steps) => pace.advance(steps),
    cut: () => gateway.cut(),
    close: async () => {
      pace.end()
      await gateway.close()
    },
  }
}

/** The built page, and the list of agents that it asks for. */
export async function serve(dir: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
