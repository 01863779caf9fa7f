import { AIMessage, ToolMessage } from '@langchain/core/messages'
import type { BaseMessage } from '@langchain/core/messages'

import type { ToolCallMade } from '../driver.ts'
import { readPassages } from '../passages.ts'
import type { Passage } from '../passages.ts'

/** A conversation as the builtin model reads it. Only the last MAX_TURNS messages count: it has no longer memory. */
export interface Conversation {
  readonly turns: readonly Turn[]
  /** From system messages and from the tool results of this turn. */
  readonly passages: readonly Passage[]
}

export type Turn =
  | { readonly role: 'human'; readonly text: string }
  | { readonly role: 'ai'; readonly text: string; readonly calls: readonly ToolCallMade[] }
  | {
      readonly role: 'tool'
      readonly text: string
      readonly name: string
      readonly callId: string
      readonly failed: boolean
    }

export const MAX_TURNS = 40

export function readConversation(messages: readonly BaseMessage[]): Conversation {
  const passages = messages
    .filter((message) => message.getType() === 'system')
    .flatMap((message) => readPassages(message.text))
  const turns: Turn[] = []
  for (const message of messages.slice(-MAX_TURNS)) {
    const turn = readTurn(message)
    if (turn !== null) turns.push(turn)
  }
  const lastHuman = turns.findLastIndex((turn) => turn.role === 'human')
  for (const turn of turns.slice(lastHuman + 1)) if (turn.role === 'tool') passages.push(...readPassages(turn.text))
  return { turns, passages }
}

function readTurn(message: BaseMessage): Turn | null {
  const text = message.text
  if (message instanceof ToolMessage || message.getType() === 'tool') {
    const tool = message as ToolMessage
    return { role: 'tool', text, name: tool.name ?? '', callId: tool.tool_call_id, failed: tool.status === 'error' }
  }
  if (message instanceof AIMessage || message.getType() === 'ai') {
    const calls = ((message as AIMessage).tool_calls ?? []).map((call) => ({
      id: call.id ?? '',
      name: call.name,
      args: call.args as Readonly<Record<string, unknown>>,
    }))
    return { role: 'ai', text, calls }
  }
  return message.getType() === 'human' ? { role: 'human', text } : null
}

export function lastHumanText(conversation: Conversation): string {
  const turn = conversation.turns.findLast((one) => one.role === 'human')
  return turn?.text ?? ''
}

/** The results that came after the model last spoke: what it has to answer from now. */
export function freshResults(conversation: Conversation): Extract<Turn, { role: 'tool' }>[] {
  const fresh: Extract<Turn, { role: 'tool' }>[] = []
  for (const turn of conversation.turns.toReversed()) {
    if (turn.role !== 'tool') break
    fresh.unshift(turn)
  }
  return fresh
}

/** The last calls before the newest message, newest first. */
export function pastCalls(conversation: Conversation): ToolCallMade[] {
  return conversation.turns.flatMap((turn) => (turn.role === 'ai' ? turn.calls : [])).toReversed()
}

export function callOf(conversation: Conversation, callId: string): ToolCallMade | null {
  return pastCalls(conversation).find((call) => call.id === callId) ?? null
}
