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

/** Questions of turns that do not end by themselves. */
export const STREAM_TEXT = 'Talk.'
export const STREAM_TOOLS = 'Work.'
/** Between two words, and between two calls. */
const PACE_MS = 40
const WORDS = 3_000
/** The most that an agent may be given; none of them gets there. */
export const ENDLESS_STEPS = 100

/** Words or tool calls, one after the other, until somebody stops it. */
export const endlessScript: Script = (messages) =>
  messages.some((message) => message.text === STREAM_TOOLS)
    ? { steps: [{ waitMs: PACE_MS }, { call: [{ name: TOOL, args: { order: String(messages.length) } }] }] }
    : { steps: Array.from({ length: WORDS }, () => [{ waitMs: PACE_MS }, { say: ['word '] }]).flat() }

/** Between two pieces of an answer of 100: somebody can step in anywhere in it. */
const SAID_PACE_MS = 15

/** The same answer without a tool, piece by piece. */
export const pacedScript: Script = (messages) =>
  messages[0]?.text.startsWith(ROUTER) === true
    ? HAND_OFF
    : { steps: ANSWER.flatMap((piece) => [{ say: [piece] }, { waitMs: SAID_PACE_MS }]) }
