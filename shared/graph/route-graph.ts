import './bare-context.ts'

import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { HumanMessage, AIMessage, SystemMessage } from '@langchain/core/messages'
import type { BaseMessage } from '@langchain/core/messages'
import { Annotation, END, START, StateGraph } from '@langchain/langgraph'
import type { LangGraphRunnableConfig } from '@langchain/langgraph'

/** The supervisor's choice: hand-offs are tools, one for each agent, and the model calls one of them or none. */
export interface Candidate {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly examples: readonly string[]
}

export interface RoutePorts {
  readonly model: BaseChatModel
  readonly candidates: readonly Candidate[]
  readonly signal: AbortSignal
}

const PREFIX = 'transfer_to_'
const PROMPT =
  'You route messages of a customer to the agent that can handle them. Call exactly one hand-off tool, or none when no agent fits. A greeting or a thank-you goes to the first agent.'

const State = Annotation.Root({
  messages: Annotation<BaseMessage[]>({ reducer: (before, more) => [...before, ...more], default: () => [] }),
  /** Who answered last, or null. */
  current: Annotation<string | null>({ reducer: (_before, now) => now, default: () => null }),
  agent: Annotation<string | null>({ reducer: (_before, now) => now, default: () => null }),
  reason: Annotation<string>({ reducer: (_before, now) => now, default: () => '' }),
})

const PORTS = '__ports'

function portsOf(config: LangGraphRunnableConfig): RoutePorts {
  return config.configurable?.[PORTS] as RoutePorts
}

async function choose(
  state: typeof State.State,
  config: LangGraphRunnableConfig,
): Promise<Partial<typeof State.State>> {
  const { model, candidates, signal } = portsOf(config)
  const handoffs = candidates.map((candidate) => ({
    name: `${PREFIX}${candidate.name.replaceAll('-', '_')}`,
    description: `${candidate.title}. ${candidate.description}`,
    schema: { type: 'object', properties: {} },
    examples: candidate.examples,
  }))
  const bound = model.bindTools === undefined ? model : model.bindTools(handoffs as never)
  const answer = (await bound.invoke([new SystemMessage(PROMPT), ...state.messages], { signal })) as AIMessage
  const called = answer.tool_calls?.[0]?.name
  // A greeting or a thank-you is nobody's subject: whoever stands first is the host.
  const host = candidates[0]
  if (called === undefined && host !== undefined && answer.response_metadata['basis'] === 'small-talk') {
    return { agent: host.name, reason: 'a greeting goes to the first agent' }
  }
  const chosen = candidates[handoffs.findIndex((handoff) => handoff.name === called)]
  return chosen === undefined ? {} : { agent: chosen.name, reason: `handed off by ${called}` }
}

/** Nobody fits better than who has the conversation: an answer to a question of his ("1042") says nothing by itself. */
function stay(state: typeof State.State, config: LangGraphRunnableConfig): Partial<typeof State.State> {
  const { candidates } = portsOf(config)
  const current = candidates.find((candidate) => candidate.name === state.current)
  return current === undefined
    ? { reason: 'no agent fits' }
    : { agent: current.name, reason: 'stays with who answered last' }
}

const routeGraph = new StateGraph(State)
  .addNode('choose', choose)
  .addNode('stay', stay)
  .addEdge(START, 'choose')
  .addConditionalEdges('choose', (state) => (state.agent === null ? 'stay' : END), ['stay', END])
  .addEdge('stay', END)
  .compile()

export async function runRouteGraph(
  input: {
    readonly text: string
    readonly history: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[]
    readonly current: string | null
  },
  ports: RoutePorts,
): Promise<{ readonly agent: string | null; readonly reason: string }> {
  const messages = [
    ...input.history.map(({ role, text }) => (role === 'user' ? new HumanMessage(text) : new AIMessage(text))),
    new HumanMessage(input.text),
  ]
  const { agent, reason } = await routeGraph.invoke(
    { messages, current: input.current },
    { configurable: { [PORTS]: ports }, signal: ports.signal },
  )
  return { agent, reason }
}
