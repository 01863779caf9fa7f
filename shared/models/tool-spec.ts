import { convertToOpenAITool } from '@langchain/core/utils/function_calling'

import { WaggleError } from '#shared/errors/waggle-error.ts'

/**
 * A tool as a model sees it. Beyond what every provider knows (name, description, JSON Schema) it may carry
 * - `examples`  things people say when they want this tool; hosted models read them at the end of the description
 * - `template`  how its result reads, with `{field}` placeholders; the builtin model answers through it
 *
 * Both reach `bindTools` on the definition itself (`examples`, `template`), in a LangChain tool's `metadata` or `extras`,
 * or inside the schema as `x-examples` and `x-template`; the schema's `x-` keys are never sent to a provider.
 */
export interface ToolSpec {
  readonly name: string
  readonly description: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly examples: readonly string[]
  readonly template: string | null
}

/** A tool may be bound for every call of a run: each definition is read once. */
const read = new WeakMap<object, ToolSpec>()

export function readTool(tool: unknown): ToolSpec {
  if (typeof tool !== 'object' || tool === null) throw new TypeError('a tool must be an object')
  const known = read.get(tool)
  if (known !== undefined) return known
  const spec = readDefinition(tool as Record<string, unknown>)
  read.set(tool, spec)
  // What was read may be bound again: it reads as itself.
  read.set(spec, spec)
  return spec
}

function readDefinition(tool: Record<string, unknown>): ToolSpec {
  const wrapped = record(tool['function']) ?? tool
  const plain = record(wrapped['parameters']) ?? plainSchema(wrapped['schema']) ?? record(wrapped['input_schema'])
  const converted = plain === null ? convertToOpenAITool(tool).function : null
  const schema = plain ?? record(converted?.parameters) ?? { type: 'object', properties: {} }
  const name = wrapped['name'] ?? converted?.name
  if (typeof name !== 'string' || name === '') throw new TypeError('a tool must have a name')
  const said = wrapped['description'] ?? converted?.description
  const places = [tool, wrapped, record(tool['metadata']), record(tool['extras']), record(wrapped['metadata'])]
  const examples = firstOf([...places.map((place) => place?.['examples']), schema['x-examples']], isStrings) ?? []
  const template = firstOf([...places.map((place) => place?.['template']), schema['x-template']], isText) ?? null
  return { name, description: typeof said === 'string' ? said : '', parameters: schema, examples, template }
}

/** A zod schema is an object too, but not a JSON Schema. */
function plainSchema(schema: unknown): Record<string, unknown> | null {
  const found = record(schema)
  if (found === null) return null
  return '_zod' in found || '_def' in found || '~standard' in found ? null : found
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function firstOf<T>(values: readonly unknown[], wanted: (value: unknown) => value is T): T | undefined {
  return values.find(wanted)
}

/** The definition on the chat-completions wire. */
export function toWireTool(tool: ToolSpec): {
  type: 'function'
  function: { name: string; description: string; parameters: Record<string, unknown> }
} {
  if (!WIRE_NAME.test(tool.name))
    throw new WaggleError('MODEL_REFUSED', {
      reason: 'The name of a tool cannot be sent to this provider.',
      tool: tool.name,
    })
  const said = tool.examples.slice(0, MAX_WIRE_EXAMPLES).map((example) => `- ${example}`)
  const description = said.length === 0 ? tool.description : [tool.description, 'Examples:', ...said].join('\n')
  const parameters = Object.fromEntries(Object.entries(tool.parameters).filter(([key]) => !key.startsWith('x-')))
  return { type: 'function', function: { name: tool.name, description, parameters } }
}

const MAX_WIRE_EXAMPLES = 8
const WIRE_NAME = /^[a-zA-Z0-9_-]{1,64}$/
