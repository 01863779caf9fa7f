import { memo } from 'react'
import type { ToolView } from '#gateway/client/conversation-state.ts'
import { msInWords, toolStatusInWords, valueInWords } from '#gateway/client/words.ts'
import { Icon } from '../parts/icon.tsx'

/** Results up to this size are shown at once; larger ones are opened by the reader. */
const OPEN_RESULT_CHARS = 400
/** Beyond this the reader gets the beginning; the log has it all. */
const SHOWN_RESULT_CHARS = 20_000

export const ToolCard = memo(function ToolCard({ tool }: { readonly tool: ToolView }) {
  const args = Object.entries(tool.args)
  return (
    <section
      className="tool"
      data-status={tool.status}
      aria-label={`Tool ${tool.tool}, ${toolStatusInWords(tool.status)}`}
    >
      <header>
        <Icon name="tool" />
        <code className="tool-name">{tool.tool}</code>
        <span className="tool-status">
          <span className="dot" aria-hidden="true" />
          {toolStatusInWords(tool.status)}
          {tool.ms === null ? null : <span className="tool-ms">{msInWords(tool.ms)}</span>}
        </span>
      </header>
      {args.length === 0 ? null : <Pairs pairs={args} />}
      {tool.status === 'running' ? null : <Result value={tool.result} />}
    </section>
  )
})

function Result({ value }: { readonly value: unknown }) {
  if (value === null || value === undefined) return null
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  const flat = flatPairs(value)
  return (
    <details className="tool-result" open={text.length <= OPEN_RESULT_CHARS}>
      <summary>Result</summary>
      {flat === null ? <pre tabIndex={0}>{text.slice(0, SHOWN_RESULT_CHARS)}</pre> : <Pairs pairs={flat} />}
    </details>
  )
}

function Pairs({ pairs }: { readonly pairs: readonly (readonly [name: string, value: unknown])[] }) {
  return (
    <dl className="pairs">
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{valueInWords(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

/** An object of plain values reads best as a list; anything deeper as JSON. */
function flatPairs(value: unknown): readonly (readonly [string, unknown])[] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const pairs = Object.entries(value)
  const plain = pairs.every(([, item]) => typeof item !== 'object' || item === null)
  return plain && pairs.length > 0 ? pairs : null
}
