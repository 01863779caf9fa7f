import type { FoundPassage } from '#shared/contracts/knowledge.ts'
import { passageHash } from '../place.ts'

const TEXT_CHARS = 420

/** A passage, its score, and on demand every number that decided its place. */
export function FoundRow({ passage }: { readonly passage: FoundPassage }) {
  const { title, headings, pages, text, score, explain } = passage
  const [first, last] = pages
  const place = [
    ...headings.filter((heading) => heading !== title).slice(-1),
    ...(last > 1 ? [first === last ? `page ${first}` : `pages ${first} to ${last}`] : []),
  ]
  return (
    <li className="found-row">
      <p className="found-head">
        <a href={passageHash(passage)}>{title === '' ? 'Untitled document' : title}</a>
        <span className="faint">{place.join(', ')}</span>
        <meter min={0} max={1} value={score} aria-label="Score" />
        <b>{score.toFixed(3)}</b>
      </p>
      <p className="found-text">{text.length > TEXT_CHARS ? `${text.slice(0, TEXT_CHARS)} …` : text}</p>
      {explain === null ? null : (
        <details>
          <summary>Every score</summary>
          <dl className="pairs">
            {flatten(explain).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  )
}

/** `keyword.score`, `match.phrase`: a name for each number. */
function flatten(value: Readonly<Record<string, unknown>>, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([name, part]): [string, string][] => {
    const full = `${prefix}${name}`
    if (typeof part === 'number') return [[full, Number.isInteger(part) ? String(part) : part.toFixed(4)]]
    if (part === null) return [[full, 'none']]
    if (typeof part === 'object') return flatten(part as Readonly<Record<string, unknown>>, `${full}.`)
    return [[full, JSON.stringify(part)]]
  })
}
