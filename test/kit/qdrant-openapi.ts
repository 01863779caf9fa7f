/**
 * Qdrant's published REST contract as a checker of requests and answers. Stricter than the document in one way: a field it
 * does not name is refused, for a server would silently ignore what a misspelt one asks for.
 */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { Ajv } from 'ajv'
import type { ValidateFunction } from 'ajv'
import ajvFormats from 'ajv-formats'

type Json = Record<string, unknown>

interface Operation {
  readonly method: string
  readonly pattern: RegExp
  readonly query: ReadonlySet<string>
  readonly body: ValidateFunction | null
  readonly answer: ValidateFunction | null
}

/** Null when the development data is not there. */
export async function readQdrantOpenApi(): Promise<string | null> {
  const folder = resolve(process.env['WAGGLE_DATA'] ?? '../shared/data')
  return readFile(join(folder, 'qdrant', 'openapi-1.18.json'), 'utf8').catch(() => null)
}

export class QdrantOpenApi {
  readonly #operations: Operation[] = []

  constructor(text: string) {
    const document = JSON.parse(text) as { paths: Record<string, Json>; components: Json }
    const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: true, unicodeRegExp: false })
    ajvFormats.default(ajv)
    for (const format of ['uint', 'uint8', 'uint16', 'uint32', 'uint64']) {
      ajv.addFormat(format, { type: 'number', validate: (value: number) => Number.isInteger(value) && value >= 0 })
    }
    ajv.addSchema({ $id: 'qdrant', components: closed(document.components) as Json })
    const compile = (schema: unknown): ValidateFunction => ajv.compile(absolute(closed(schema)) as Json)
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { parameters = [], requestBody, responses } = operation as Json
        const named = (parameters as { in: string; name: string }[]).filter((parameter) => parameter.in === 'query')
        this.#operations.push({
          method: method.toUpperCase(),
          pattern: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
          query: new Set(named.map(({ name }) => name)),
          body: lazily(() => compile(schemaIn(requestBody)), schemaIn(requestBody)),
          answer: lazily(() => compile(schemaIn((responses as Json)['200'])), schemaIn((responses as Json)['200'])),
        })
      }
    }
  }

  /** What is wrong with a request; null when nothing is. */
  problemOfRequest(method: string, url: URL, body: unknown): string | null {
    const operation = this.#find(method, url)
    if (operation === undefined) return `${method} ${url.pathname} is no operation`
    for (const name of url.searchParams.keys()) {
      if (!operation.query.has(name)) return `${method} ${url.pathname} has no parameter ${name}`
    }
    if (operation.body === null) return body === undefined ? null : `${method} ${url.pathname} takes no body`
    return operation.body(body)
      ? null
      : `${method} ${url.pathname}: ${JSON.stringify(operation.body.errors?.slice(0, 3))}`
  }

  problemOfAnswer(method: string, url: URL, body: unknown): string | null {
    const answer = this.#find(method, url)?.answer ?? null
    if (answer === null || answer(body)) return null
    return `answer to ${method} ${url.pathname}: ${JSON.stringify(answer.errors?.slice(0, 3))}`
  }

  #find(method: string, url: URL): Operation | undefined {
    return this.#operations.find((one) => one.method === method && one.pattern.test(url.pathname))
  }
}

/** Compiling all of the document takes seconds, and a run uses ten operations of it. */
function lazily(compile: () => ValidateFunction, schema: unknown): ValidateFunction | null {
  if (schema === undefined) return null
  let made: ValidateFunction | undefined
  const validate = ((value: unknown): boolean => {
    made ??= compile()
    const valid = made(value) as boolean
    validate.errors = made.errors ?? null
    return valid
  }) as ValidateFunction
  return validate
}

function schemaIn(part: unknown): unknown {
  const content = (part as { content?: Record<string, { schema: unknown }> } | undefined)?.content
  return content?.['application/json']?.schema
}

/** OpenAPI 3.0 writes null as `nullable`; and objects are closed, see above. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema as Json).filter(([key]) => key !== 'example' && key !== 'default')
  const made: Json = Object.fromEntries(entries.map(([key, value]) => [key, closed(value)]))
  if (made['nullable'] === true) {
    delete made['nullable']
    if (typeof made['type'] === 'string') made['type'] = [made['type'], 'null']
    else if (Object.keys(made).length === 0) made['type'] = 'null'
  }
  const open = made['type'] === 'object' && made['properties'] !== undefined
  if (open && made['additionalProperties'] === undefined) made['additionalProperties'] = false
  return made
}

function absolute(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(absolute)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema as Json).map(([key, value]) =>
      key === '$ref' && typeof value === 'string' ? [key, `qdrant${value}`] : [key, absolute(value)],
    ),
  )
}
