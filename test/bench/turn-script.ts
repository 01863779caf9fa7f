/** What is said in a measured turn: one tool call, then an answer of TOKENS pieces; when asked to route, a hand-off. */
import type { Script } from '#shared/models/scripted/script.ts'

export const TOKENS = 100
export const TOOL = 'lookup-order'
export const AGENTS = ['support', 'billing'] as const
export const QUESTION = 'Where is my order 1042?'
export const ANSWER = Array.from({ length: TOKENS }, (_, index) => (index === TOKENS - 1 ? 'end.' : `word${index} `))

const ROUTER = 'You route messages'

const HAND_OFF = { steps: [{ call: [{ name: `transfer_to_${AGENTS[0]}`, args: {} }] }] }

export const turnScript: Script = (messages) => {
  if (messages[0]?.text.startsWith(ROUTER) === true) return HAND_OFF
  return messages.at(-1)?.getType() === 'tool'
    ? { steps: [{ say: ANSWER }] }
    : { steps: [{ call: [{ name: TOOL, args: { order: '1042' } }] }] }
}

/** The same answer without a tool, piece by piece at a pace: somebody can step in while it is being said. */
export function pacedScript(paceMs: number): Script {
  return (messages) => {
    if (messages[0]?.text.startsWith(ROUTER) === true) return HAND_OFF
    return { steps: ANSWER.flatMap((piece) => [{ say: [piece] }, { waitMs: paceMs }]) }
  }
}
