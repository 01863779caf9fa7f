import type { BaseMessage } from '@langchain/core/messages'
import type { BaseCheckpointSaver, CheckpointTuple } from '@langchain/langgraph'

import type { AgentState } from './agent-graph.ts'
import { CheckpointSaver } from './checkpoint-saver.ts'
import type { CheckpointStore } from './checkpoint-store.ts'

/** A run at one of its checkpoints, as far as its channels say. */
export interface PastState {
  readonly id: string
  readonly parentId: string | null
  readonly at: string
  /** Supersteps of the graph before it. */
  readonly superstep: number
  /** Model calls so far. */
  readonly steps: number
  readonly answer: string
  readonly messages: readonly {
    readonly role: string
    readonly text: string
    readonly calls: readonly { readonly name: string; readonly args: unknown }[]
  }[]
}

/** The checkpoints of a run that are kept, the newest first. */
export async function pastStates(
  checkpoints: CheckpointStore,
  tenant: string,
  thread: string,
  limit: number,
): Promise<PastState[]> {
  const states: PastState[] = []
  const config = { configurable: { thread_id: thread, checkpoint_ns: '' } }
  for await (const tuple of reader(checkpoints, tenant).list(config, { limit })) states.push(stateOf(tuple))
  return states
}

export async function pastState(
  checkpoints: CheckpointStore,
  tenant: string,
  thread: string,
  id: string,
): Promise<PastState | null> {
  const tuple = await reader(checkpoints, tenant).getTuple(configOf(thread, id))
  return tuple === undefined ? null : stateOf(tuple)
}

/** Puts a checkpoint of another run at the beginning of this one. False when it is not there (any more). */
export async function forkFrom(
  saver: BaseCheckpointSaver,
  from: { readonly thread: string; readonly checkpointId: string },
  thread: string,
): Promise<boolean> {
  const tuple = await saver.getTuple(configOf(from.thread, from.checkpointId))
  if (tuple === undefined) return false
  const { checkpoint, metadata } = tuple
  // Of a fork without a past of its own every channel is new. Calls of its own, too: the ledger knows them by the run.
  await saver.put(
    { configurable: { thread_id: thread, checkpoint_ns: '' } },
    checkpoint,
    metadata ?? { source: 'fork', step: -1, parents: {} },
    checkpoint.channel_versions,
  )
  return true
}

/** Reads only: what is written needs the fence of a holder. */
function reader(checkpoints: CheckpointStore, tenant: string): CheckpointSaver {
  return new CheckpointSaver({ checkpoints, fence: { tenant, kind: 'run', partition: 0, epoch: 0 } })
}

function configOf(thread: string, id: string): { configurable: Record<string, string> } {
  return { configurable: { thread_id: thread, checkpoint_ns: '', checkpoint_id: id } }
}

function stateOf({ config, parentConfig, checkpoint, metadata }: CheckpointTuple): PastState {
  const values = checkpoint.channel_values as Partial<AgentState>
  return {
    id: String(config.configurable?.['checkpoint_id'] ?? ''),
    parentId: (parentConfig?.configurable?.['checkpoint_id'] as string | undefined) ?? null,
    at: checkpoint.ts,
    superstep: metadata?.step ?? 0,
    steps: values.steps ?? 0,
    answer: values.answer ?? '',
    messages: (values.messages ?? []).map(messageOf),
  }
}

function messageOf(message: BaseMessage): PastState['messages'][number] {
  const calls = (message as { tool_calls?: { name: string; args: unknown }[] }).tool_calls ?? []
  return { role: message.getType(), text: message.text, calls: calls.map(({ name, args }) => ({ name, args })) }
}
