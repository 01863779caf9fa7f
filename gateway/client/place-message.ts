import type { MessageView } from './conversation-state.ts'

/** Older messages leave the view; the stored conversation has them all. */
export const MAX_MESSAGES = 2000

/**
 * Puts a new message where it is read. An answer follows its question, behind earlier answers to the same one, so that
 * the order does not depend on when a reader joined; anything else comes last. Ids grow with time (ULIDs).
 */
export function placeMessage(messages: readonly MessageView[], message: MessageView): readonly MessageView[] {
  const question = message.role === 'user' ? -1 : messages.findIndex(({ id }) => id === message.parentId)
  if (question === -1) return [...messages, message].slice(-MAX_MESSAGES)
  let at = question + 1
  for (let next = messages[at]; next !== undefined; next = messages[at]) {
    if (next.role === 'user' || next.parentId !== message.parentId || next.id > message.id) break
    at += 1
  }
  return messages.toSpliced(at, 0, message).slice(-MAX_MESSAGES)
}
