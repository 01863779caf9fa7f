import { AIMessage, HumanMessage } from '@langchain/core/messages'
import type { BaseMessage } from '@langchain/core/messages'
import type { BaseCheckpointSaver, CheckpointTuple } from '@langchain/langgraph'
import { agentGraph, isAtStepLimit, PORTS, REFUSED } from './agent-graph.ts'
import type { AgentPorts, ModelUsage } from './agent-graph.ts'
import { forkFrom } from './look-back.ts'
import type { Citation } from '#shared/contracts/event-map.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { undecided } from './parked-calls.ts'
import type { PendingCall } from './parked-calls.ts'

/** Where the checkpoints of one run go. */
export interface RunSaver {
  readonly checkpoints: BaseCheckpointSaver | null
  /** Resolves when everything put so far is stored. */
  durable(): Promise<void>
  /** The run is over: of its checkpoints only a few stay. */
  over(thread: string, resumed: boolean): Promise<void>
}

export interface GraphInput {
  readonly history: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[]
  readonly question: string
  /** Names the checkpoints of this run. */
  readonly thread: string
  readonly saver: BaseCheckpointSaver | null
  /** A checkpoint may be there: go on from it instead of beginning. */
  readonly resumed: boolean
  /** A checkpoint of another run that this one begins from. */
  readonly from?: { readonly thread: string; readonly checkpointId: string } | undefined
}

export interface GraphOutput {
  readonly answer: string
  readonly data: unknown
  readonly citations: readonly Citation[]
  readonly extractive: boolean
  readonly steps: number
  readonly escalate: string | null
  readonly handover: { readonly to: string; readonly reason: string } | null
  readonly refused: string | null
  readonly invalid: string | null
  readonly usage: ModelUsage
  readonly stepLimit: boolean
  /** Calls that people have to decide about: the graph was interrupted. Empty where it came to its end. */
  readonly parked: readonly PendingCall[]
}

/** Supersteps of LangGraph for each model step (act, tools) and around them. */
const SUPERSTEPS_PER_STEP = 3
const SUPERSTEPS_AROUND = 12

/** Runs the agent graph from the beginning, or from its last checkpoint. Throws what a port threw, CANCELLED included. */
export async function runAgentGraph(input: GraphInput, ports: AgentPorts): Promise<GraphOutput> {
  let said = false
  const own: AgentPorts = {
    ...ports,
    said: async (answer) => {
      said = true
      return await ports.said(answer)
    },
  }
  const config = {
    configurable: {
      thread_id: input.thread,
      [PORTS]: own,
      ...(input.saver === null ? {} : { __pregel_checkpointer: input.saver }),
    },
    recursionLimit: ports.maxSteps * SUPERSTEPS_PER_STEP + SUPERSTEPS_AROUND,
    signal: ports.signal,
    durability: 'async' as const,
  }
  const found = await lastCheckpoint(input)
  const begun = found !== undefined
  const taint = found?.checkpoint.channel_values['taint'] as readonly string[] | undefined
  if (taint !== undefined) ports.tainted(taint)
  const messages: BaseMessage[] = [
    ...input.history.map(({ role, text }) => (role === 'user' ? new HumanMessage(text) : new AIMessage(text))),
    new HumanMessage(input.question),
  ]
  const state = await agentGraph.invoke(begun ? null : { messages }, config)
  // The attempt before this one was done with the graph, and nothing was made of it: this one has said nothing yet.
  const unsaid = begun && !said && state.answer !== '' && state.refused === null && state.invalid === null
  const refused = unsaid && !(await ports.said(state.answer)) ? REFUSED : state.refused
  return {
    answer: state.answer,
    data: state.data,
    citations: state.citations,
    extractive: state.extractive,
    steps: state.steps,
    escalate: state.escalate,
    handover: state.handover,
    refused,
    invalid: state.invalid,
    usage: state.usage,
    stepLimit: isAtStepLimit(state, ports.maxSteps),
    parked: undecided(state.pending, ports.decisions),
  }
}

/** The checkpoint to go on from; a fork gets its first one here. */
async function lastCheckpoint({ saver, thread, resumed, from }: GraphInput): Promise<CheckpointTuple | undefined> {
  if (saver === null) return undefined
  const read = (): Promise<CheckpointTuple | undefined> => saver.getTuple({ configurable: { thread_id: thread } })
  const found = resumed ? await read() : undefined
  if (found !== undefined || from === undefined) return found
  if (!(await forkFrom(saver, from, thread))) throw refuse('NOT_FOUND', { checkpoint: from.checkpointId })
  return await read()
}
