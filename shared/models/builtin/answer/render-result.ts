import { isRecord } from '../schema.ts'
import { fillTemplate, humanName, say } from './template.ts'

const MAX_TEXT_CHARS = 4_000
const MAX_ROWS = 10
const MAX_FIELDS = 20

/** A tool result in plain words: by the tool's template where it has one, otherwise field by field. Adds no fact. */
export function renderResult(
  content: string,
  template: string | null,
  args: Readonly<Record<string, unknown>>,
): string {
  const value = parse(content)
  if (template !== null) {
    const filled = isArrayOfRecords(value)
      ? value.slice(0, MAX_ROWS).map((row) => fillTemplate(template, row, args))
      : [fillTemplate(template, value, args)]
    if (filled.length > 0 && filled.every((line) => line !== null)) return filled.join('\n')
  }
  return plain(value)
}

function parse(content: string): unknown {
  const text = content.trim()
  if (!/^[[{"\d]|^(?:true|false|null)$/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function plain(value: unknown): string {
  if (value === '') return NOTHING
  if (typeof value === 'string') return value.length > MAX_TEXT_CHARS ? `${value.slice(0, MAX_TEXT_CHARS)} …` : value
  if (isArrayOfRecords(value)) {
    const rows = value.slice(0, MAX_ROWS).map((row) => `- ${fields(row).join(', ')}`)
    return [...rows, ...(value.length > MAX_ROWS ? [`- and ${value.length - MAX_ROWS} more`] : [])].join('\n')
  }
  if (isRecord(value)) {
    // { data: { … } } says no more than what is in it.
    const inner = Object.values(value)
    if (inner.length === 1 && (isRecord(inner[0]) || isArrayOfRecords(inner[0]))) return plain(inner[0])
    const said = fields(value)
    return said.length === 0 ? NOTHING : sentence(said.join(', '))
  }
  return say(value) ?? NOTHING
}

const NOTHING = 'There is nothing to show.'

function fields(row: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(row)
    .slice(0, MAX_FIELDS)
    .map(([key, inner]) => ({ key, said: say(inner) }))
    .filter((entry) => entry.said !== null)
    .map(({ key, said }) => `${humanName(key)}: ${said}`)
}

function isArrayOfRecords(value: unknown): value is Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord)
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
