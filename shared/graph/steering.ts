import { HumanMessage, SystemMessage } from '@langchain/core/messages'
import type { BaseMessage } from '@langchain/core/messages'

/** Words for a run at work, fit for the model. */
export interface PendingWord {
  readonly id: string
  /** `steer`: of the customer. `whisper`: of an operator, whom the customer does not hear. */
  readonly kind: 'steer' | 'whisper'
  readonly text: string
}

/** A word that stands among the messages of the run, and the step of the model that hears it first. */
export interface HeededWord extends PendingWord {
  readonly step: number
}

export interface SteeringPorts {
  /** Words that came since it was last asked, without those of the given ids. */
  pending(heeded: readonly string[]): Promise<readonly PendingWord[]>
}

/**
 * Takes what was said to the run meanwhile. Called after the results of tool calls and after an answer without any, never
 * between a call and its result: models refuse such messages. Ids stay in the state, so that a resumed run, which is told
 * of the same words again, does not take them twice.
 */
export async function takeWords(
  heeded: readonly HeededWord[],
  step: number,
  ports: SteeringPorts,
): Promise<{ readonly messages: BaseMessage[]; readonly heeded: HeededWord[] }> {
  const words = await ports.pending(heeded.map(({ id }) => id))
  return { messages: words.map(messageOf), heeded: words.map((word) => ({ ...word, step })) }
}

function messageOf({ id, kind, text }: PendingWord): BaseMessage {
  return kind === 'steer'
    ? new HumanMessage({ id, content: text })
    : new SystemMessage({ id, content: `A colleague tells you, and not the customer: ${text}` })
}
