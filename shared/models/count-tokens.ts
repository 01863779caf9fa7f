import type { BaseMessage } from '@langchain/core/messages'

import { countTokens } from '#shared/text/tokens.ts'

import type { ToolSpec } from './tool-spec.ts'

/** What the wire adds to each message for role and borders. */
const TOKENS_PER_MESSAGE = 4

/** Tokens of a request, estimated offline (see shared/text/tokens.ts). */
export function countPrompt(messages: readonly BaseMessage[], tools: readonly ToolSpec[]): number {
  let tokens = 0
  for (const message of messages) tokens += countTokens(message.text) + TOKENS_PER_MESSAGE
  for (const tool of tools) tokens += toolTokens(tool)
  return tokens
}

const counted = new WeakMap<ToolSpec, number>()

function toolTokens(tool: ToolSpec): number {
  const known = counted.get(tool)
  if (known !== undefined) return known
  const tokens = countTokens(tool.name) + countTokens(tool.description) + countTokens(JSON.stringify(tool.parameters))
  counted.set(tool, tokens)
  return tokens
}
