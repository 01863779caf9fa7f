import { z } from 'zod'
import { CATALOGUE } from '#shared/errors/catalogue.ts'
import type { Route } from './route.ts'

export const API_PREFIX = '/api/v1'

/** OpenAPI 3.1, made of the very rows that route and validate. */
export function openapi(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) (paths[API_PREFIX + route.path] ??= {})[route.method.toLowerCase()] = operation(route)
  paths[`${API_PREFIX}/conversations/{id}/events`] = {
    get: {
      operationId: 'streamEvents',
      tags: ['conversations'],
      summary: 'The log of a conversation as server-sent events; resumes at `Last-Event-ID`.',
      parameters: [
        { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
        {
          name: 'Last-Event-ID',
          in: 'header',
          required: false,
          description: 'Cursor of the last entry seen.',
          schema: { type: 'string' },
        },
        {
          name: 'ops',
          in: 'query',
          required: false,
          description: "Operators' events too.",
          schema: { type: 'boolean' },
        },
      ],
      responses: {
        200: {
          description: 'Events `snapshot` and `log`.',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        default: { $ref: '#/components/responses/Error' },
      },
    },
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Waggle',
      version,
      description: 'Conversations with a swarm of agents. Every error has a code; what to do is in `action`.',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { apiKey: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
      responses: {
        Error: {
          description: 'A coded error.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      schemas: {
        Error: {
          type: 'object',
          required: ['error'],
          properties: {
            error: {
              type: 'object',
              required: ['code', 'message', 'action', 'details', 'traceId'],
              properties: {
                code: {
                  type: 'string',
                  enum: Object.keys(CATALOGUE).filter(
                    (code) => CATALOGUE[code as keyof typeof CATALOGUE].audience === 'pub',
                  ),
                },
                message: { type: 'string' },
                action: { type: 'string' },
                details: { type: 'object' },
                traceId: { type: 'string' },
              },
            },
          },
        },
      },
    },
  }
}

function operation(route: Route): Record<string, unknown> {
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body, 'input') } } },
        }),
    responses: {
      [route.status ?? 200]: {
        description: 'It worked.',
        content: { 'application/json': { schema: schemaOf(route.response, 'output') } },
      },
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

function parameters(schema: z.ZodObject | undefined, place: 'path' | 'query'): unknown[] {
  if (schema === undefined) return []
  const json = schemaOf(schema, 'input') as { properties?: Record<string, unknown>; required?: string[] }
  return Object.entries(json.properties ?? {}).map(([name, own]) => ({
    name,
    in: place,
    required: place === 'path' || json.required?.includes(name) === true,
    schema: own,
  }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Record<
    string,
    unknown
  >
  return json
}
