import type { ToolSpec } from '../../tool-spec.ts'

export type SmallTalk = 'greeting' | 'thanks' | 'farewell' | 'help' | 'cancel'

const PATTERNS: readonly (readonly [SmallTalk, RegExp])[] = [
  [
    'greeting',
    /^(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening|day)|greetings|howdy|yo|hi there|hello there|hey there)(?:\s+(?:there|all|everybody|everyone|team|bot))?$/,
  ],
  ['greeting', /^(?:how are you|how is it going|how's it going|what's up|whats up|sup)(?: today| doing)?$/],
  [
    'thanks',
    /^(?:ok(?:ay)?\s+)?(?:thanks?|thank you|thx|ty|cheers|many thanks|much appreciated|great thanks|perfect thanks?)(?:\s+(?:a lot|so much|very much|you|again|for (?:your|the) help|for helping))?$/,
  ],
  [
    'farewell',
    /^(?:bye|goodbye|bye bye|see you|see ya|have a (?:nice|good) (?:day|one|evening)|that's all|thats all|that is all|no that's all)(?:\s+(?:thanks?|thank you|later|then|for now))?$/,
  ],
  [
    'help',
    /^(?:help|help me|menu|what can (?:you|u) (?:do|help(?: me)? with)|who are you|what are you|how (?:can|do) (?:you|i) (?:help|use this|use you|start)(?: me)?|what do you do|what is this)$/,
  ],
  [
    'cancel',
    /^(?:cancel|cancel that|never ?mind|forget (?:it|that|about it)|stop|quit|drop it|no thanks|no thank you|not now)$/,
  ],
]

/** What a message is when it asks for nothing; null when it asks for something. */
export function readSmallTalk(text: string): SmallTalk | null {
  if (text.length > MAX_SMALL_TALK_CHARS) return null
  const said = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}' ]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  if (said === '') return 'help'
  for (const [kind, pattern] of PATTERNS) if (pattern.test(said)) return kind
  // `hi, please help` is still a greeting; `hi, where is my order` is not.
  return null
}

const MAX_SMALL_TALK_CHARS = 80
const MAX_OFFERED = 6

/** What the tools can do, in the words of their descriptions. */
export function offer(tools: readonly ToolSpec[]): string | null {
  const lines = [...new Set(tools.map(ability))].slice(0, MAX_OFFERED)
  if (lines.length === 0) return null
  return lines.length === 1
    ? `I can help with this: ${lines[0]}`
    : ['I can help with:', ...lines.map((line) => `- ${line}`)].join('\n')
}

function ability(tool: ToolSpec): string {
  const first = tool.description.split(/(?<=[.!?])\s|\n/, 1)[0]?.trim() ?? ''
  const said = first === '' ? tool.name.replace(/[_.-]+/g, ' ') : first
  return said.length > MAX_ABILITY_CHARS ? `${said.slice(0, MAX_ABILITY_CHARS)} …` : said.replace(/\.$/, '')
}

const MAX_ABILITY_CHARS = 160

export function reply(kind: SmallTalk, tools: readonly ToolSpec[]): string {
  const offered = offer(tools)
  const help = offered ?? 'Ask me something, and I will look for it in what I was given.'
  switch (kind) {
    case 'greeting':
      return `Hello. ${help}`
    case 'thanks':
      return 'You are welcome.'
    case 'farewell':
      return 'Goodbye.'
    case 'help':
      return help
    case 'cancel':
      return 'All right, I have left it at that.'
  }
}
