import type { Script } from '#shared/models/scripted/script.ts'

const PIECES = [
  'The ',
  'work ',
  'you ',
  'asked ',
  'for ',
  'was ',
  'done, ',
  'as ',
  'far ',
  'as ',
  'is ',
  'known.',
] as const
const PIECE_MS = 8

/** The question names the tool: it is called once, then the answer is said, piece by piece. */
export const chaosScript: Script = (messages) => {
  const last = messages.at(-1)
  if (last?.getType() === 'tool') return { steps: PIECES.flatMap((piece) => [{ say: [piece] }, { waitMs: PIECE_MS }]) }
  const text = last?.text ?? ''
  const tool = /use (\w+)/.exec(text)?.[1]
  if (tool === undefined) return { steps: [{ say: ['Nothing ', 'was ', 'asked.'] }] }
  return { steps: [{ call: [{ name: tool, args: { of: text } }] }] }
}
