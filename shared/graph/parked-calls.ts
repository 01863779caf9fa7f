import { ToolMessage } from '@langchain/core/messages'
import { interrupt } from '@langchain/langgraph'
import type { DecisionMade, NewReviewItem } from '#shared/contracts/review.ts'

/** What a person is shown of a call. */
export type CallForReview = Omit<NewReviewItem, 'id' | 'turnId' | 'runId' | 'agent'>

/** A tool call that waits for a person, as it stands in the checkpoint. */
export interface PendingCall {
  /** As in ToolRequest. */
  readonly id: string
  /** The model's own id of the call, which its result must name. */
  readonly toolCallId: string
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly review: CallForReview
}

export type Decisions = Readonly<Record<string, DecisionMade>>

/** Calls for which there is no decision yet. */
export function undecided(pending: readonly PendingCall[], decisions: Decisions): readonly PendingCall[] {
  return pending.filter((call) => !Object.hasOwn(decisions, call.id))
}

export interface ApprovePorts {
  readonly decisions: Decisions
  durable(): Promise<void>
  call(
    request: Pick<PendingCall, 'id' | 'name' | 'args'>,
    decision: DecisionMade,
  ): Promise<{ readonly text: string; readonly failed: boolean; readonly taint: string | null }>
}

/**
 * Makes the calls that people have decided about, or interrupts the graph, which ends the run. The decisions come through
 * the run's ports and not through LangGraph's resume value: they stand in the row of the run, so an attempt that is killed
 * after it was resumed finds them again. A call that was made before a crash is answered by the ledger.
 */
export async function approveCalls(
  pending: readonly PendingCall[],
  ports: ApprovePorts,
): Promise<{ messages: ToolMessage[]; taint: string[]; pending: readonly PendingCall[] }> {
  const open = undecided(pending, ports.decisions)
  if (open.length > 0) interrupt({ calls: open.map(({ id }) => id) })
  await ports.durable()
  const messages: ToolMessage[] = []
  const taint: string[] = []
  for (const { id, toolCallId, name, args } of pending) {
    const answer = await ports.call({ id, name, args }, ports.decisions[id]!)
    if (answer.taint !== null) taint.push(answer.taint)
    const status = answer.failed ? 'error' : 'success'
    messages.push(new ToolMessage({ tool_call_id: toolCallId, name, content: answer.text, status }))
  }
  return { messages, taint, pending: [] }
}
