/**
 * How retrieved passages stand in a prompt, for every model alike: whoever retrieves writes them with `renderPassages`
 * into a system or tool message, hosted models read them as text, the builtin model through `readPassages`. The numbers
 * are the closed list of citation marks an answer may use.
 */
export interface Passage {
  /** The citation mark: `[1]` in an answer points here. */
  readonly mark: number
  readonly title: string
  readonly text: string
}

export const MAX_PASSAGES = 50

export function renderPassages(passages: readonly Passage[]): string {
  const lines = passages
    .slice(0, MAX_PASSAGES)
    .map(({ mark, title, text }) => `<passage n="${mark}" title="${escape(title)}">${escape(text)}</passage>`)
  return ['<passages>', ...lines, '</passages>'].join('\n')
}

const BLOCK = /<passage n="(\d{1,4})" title="([^"<>]{0,500})">([^<]*)<\/passage>/g

export function readPassages(prompt: string): Passage[] {
  if (!prompt.includes('<passage n=')) return []
  return [...prompt.matchAll(BLOCK)]
    .slice(0, MAX_PASSAGES)
    .map((match) => ({ mark: Number(match[1]), title: unescape(match[2] ?? ''), text: unescape(match[3] ?? '') }))
}

/** Text from documents cannot close its passage or open another. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function unescape(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&gt;', '>').replaceAll('&lt;', '<').replaceAll('&amp;', '&')
}
