/** The baseline of turn-rate: the same graphs, model and tool call in one process, nothing but LangGraph and its memory saver. */
import { MemorySaver } from '@langchain/langgraph'

import type { AgentPorts } from '#shared/graph/agent-graph.ts'
import { runRouteGraph } from '#shared/graph/route-graph.ts'
import { runAgentGraph } from '#shared/graph/run-graph.ts'
import { createModel } from '#shared/models/port.ts'

import { servePeer } from '../peer.ts'
import { AGENTS, ANSWER, QUESTION, TOOL, turnScript } from '../turn-script.ts'

export type GraphPeer = {
  /** Turns a second, so many under way. */
  readonly run: (order: { readonly turns: number; readonly inFlight: number }) => Promise<number>
}

const MODEL = { provider: 'scripted', model: 'bench', tenant: 'acme' } as const

if (import.meta.main) {
  servePeer<object>(async () => ({
    on: {
      run: async ({ turns, inFlight }: { readonly turns: number; readonly inFlight: number }) => {
        let begun = 0
        const worker = async (): Promise<void> => {
          while (begun < turns) await turn(`turn-${begun++}`)
        }
        const started = performance.now()
        await Promise.all(Array.from({ length: inFlight }, worker))
        return (turns * 1_000) / (performance.now() - started)
      },
    },
    stop: () => Promise.resolve(),
  }))
}

async function turn(thread: string): Promise<void> {
  const { signal } = new AbortController()
  const candidates = AGENTS.map((name) => ({ name, title: name, description: `Handles ${name}.`, examples: [] }))
  const model = createModel(MODEL, { script: turnScript })
  await runRouteGraph({ text: QUESTION, history: [], current: null }, { model, candidates, signal })
  let said = ''
  const ports: AgentPorts = {
    model,
    systemPrompt: 'Help.',
    tools: [{ name: TOOL, description: 'Looks up an order.', schema: {}, examples: [], template: null }],
    maxSteps: 8,
    signal,
    reached: () => {},
    say: async (text) => void (said += text),
    restart: () => {},
    said: async () => true,
    retrieve: async () => ({ passages: [], answer: null }),
    call: async () => ({ text: '{"status":"shipped"}', failed: false, escalate: null, taint: null }),
    decisions: {},
    tainted: () => {},
    verify: async () => ({ ok: true, data: null, citations: [] }),
    spent: () => {},
    pending: async () => [],
    heeded: async () => {},
    cost: () => 0,
    reserve: () => null,
    repeated: () => true,
    durable: async () => {},
  }
  const saver = new MemorySaver()
  const output = await runAgentGraph({ history: [], question: QUESTION, thread, saver, resumed: false }, ports)
  if (output.answer !== ANSWER.join('') || said !== output.answer) throw new Error('a wrong answer')
}
